/** Changing an old version tree: only nodes on the way to what changes are read and made anew. */
import { type Entry, grow, type Making, remember, type Root, shownBy } from './grow.ts';
import { type ChildEntry, isLeaf, type Node } from './node.ts';
import { firstAbove, OldTree } from './old-tree.ts';
import { Chunker, type EncodedNode, type NodeStore, readNode } from './tree.ts';

/** What becomes of the entry with a key; null: it goes. */
export type EntryEdit = { key: string; entry: Entry | null };

/** Makes the (sorted) edits level by level: what changes in one level's nodes are the edits of the level above. */
export async function change(store: NodeStore, root: string, sorted: EntryEdit[], making: Making): Promise<Root> {
  const old = new OldTree(store, root);
  await old.prefetch(sorted.map((e) => e.key));
  const height = (await old.node(root)).level;
  let edits = sorted;
  for (let level = 0; level < height; level++) edits = await changeLevel(old, level, edits, making);
  const top = await old.node(root);
  const entries = merge(top.entries, edits);
  return lowestRoot(store, grow(entries, height, making), making.fresh);
}

/** A root with a single child is not canonical: the child is the root. */
async function lowestRoot(store: NodeStore, root: Root, fresh: Map<string, EncodedNode>): Promise<Root> {
  let current = root;
  while (current !== null) {
    const node = fresh.get(current.digest)?.node ?? (await readNode(store, current.digest));
    const only = node.entries[0];
    if (isLeaf(node) || node.entries.length > 1 || only === undefined) return current;
    current = { digest: (only as ChildEntry).digest, totals: (only as ChildEntry).totals };
  }
  return current;
}

/** Re-cuts the nodes of one level that edits touch, until the cut meets an old boundary again. */
async function changeLevel(old: OldTree, level: number, edits: EntryEdit[], making: Making): Promise<EntryEdit[]> {
  const above = new Map<string, Entry | null>();
  const keys = edits.map((e) => e.key);
  let at = 0;
  while (at < edits.length) {
    const chunker = new Chunker<Entry>(level, making.parameters);
    let node: Node | undefined = await old.holding(level, keys[at] ?? '');
    while (node !== undefined) {
      const lastKey: string = node.entries.at(-1)?.key ?? '';
      const next: Node | undefined = await old.after(level, lastKey);
      const end = next === undefined ? edits.length : firstAbove(keys, lastKey);
      for (const entry of merge(node.entries, edits.slice(at, end))) chunker.add(entry, shownBy(entry, making));
      above.set(lastKey, null);
      at = Math.max(at, end);
      if (chunker.atBoundary) break;
      node = next;
    }
    chunker.flush();
    for (const chunk of chunker.chunks) {
      const made = remember(level, chunk, making);
      above.set(made.entry.key, made.entry);
    }
  }
  return [...above].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => ({ key, entry }));
}

/** Old entries with the edits applied, in order. */
function merge(entries: readonly Entry[], edits: readonly EntryEdit[]): Entry[] {
  const merged: Entry[] = [];
  let at = 0;
  for (const edit of edits) {
    while (at < entries.length && (entries[at]?.key ?? '') < edit.key) merged.push(entries[at++] as Entry);
    if (entries[at]?.key === edit.key) at++;
    if (edit.entry !== null) merged.push(edit.entry);
  }
  for (; at < entries.length; at++) merged.push(entries[at] as Entry);
  return merged;
}
