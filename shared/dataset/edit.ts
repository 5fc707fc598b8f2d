/** Changing a version tree: k edits read and write O(k log N) nodes. */
import pMap from 'p-map';
import { type ChildEntry, isLeaf, type LeafEntry, type Node, type Totals, totalsOf } from './node.ts';
import type { SampleRecord } from './record.ts';
import {
  Chunker,
  defaultParameters,
  encoded,
  type EncodedNode,
  type NodeStore,
  readNode,
  type TreeParameters,
} from './tree.ts';

export interface Edit {
  key: string;
  /** null removes the key */
  record: SampleRecord | null;
}

export interface Applied {
  /** null: the tree is empty */
  root: string | null;
  totals: Totals;
  nodesWritten: number;
  bytesWritten: number;
}

type Entry = LeafEntry | ChildEntry;
type EntryEdit = { key: string; entry: Entry | null };
const width = 16;

/** An old tree while it is being edited: nodes are read once. */
class Old {
  readonly #store: NodeStore;
  readonly root: string;
  readonly #nodes = new Map<string, Node>();
  constructor(store: NodeStore, root: string) {
    this.#store = store;
    this.root = root;
  }

  async node(digest: string): Promise<Node> {
    const known = this.#nodes.get(digest);
    if (known !== undefined) return known;
    const read = await readNode(this.#store, digest);
    this.#nodes.set(digest, read);
    return read;
  }

  /** Reads what lies on the way to the keys, level by level and in parallel. */
  async prefetch(keys: string[]): Promise<void> {
    let digests = new Set([this.root]);
    while (digests.size > 0) {
      const nodes = await pMap([...digests], (digest) => this.node(digest), { concurrency: width });
      const next = new Set<string>();
      for (const node of nodes) {
        if (isLeaf(node)) continue;
        const children = node.entries as ChildEntry[];
        for (const child of touched(children, keys)) next.add(child.digest);
      }
      digests = next;
    }
  }

  /** The node of a level that holds, or would hold, a key. */
  async holding(level: number, key: string): Promise<Node> {
    let node = await this.node(this.root);
    while (node.level > level) {
      const children = node.entries as ChildEntry[];
      const child = children[Math.min(lowerBound(children, key), children.length - 1)];
      if (child === undefined) throw new Error('an inner node has no children');
      node = await this.node(child.digest);
    }
    return node;
  }

  /** The node of a level that follows the one whose last key is `key`; undefined at the end. */
  async after(level: number, key: string): Promise<Node | undefined> {
    let way = await this.node(this.root);
    let beyond: ChildEntry | undefined;
    while (way.level > level) {
      const children = way.entries as ChildEntry[];
      const at = lowerBound(children, key);
      // the nearest subtree to the right of the way down
      beyond = children[at + 1] ?? beyond;
      const child = children[at];
      if (child === undefined) break;
      way = await this.node(child.digest);
    }
    if (beyond === undefined) return undefined;
    let node = await this.node(beyond.digest);
    while (node.level > level) node = await this.node((node.entries[0] as ChildEntry).digest);
    return node;
  }
}

/** Index of the first entry whose key is not below `key`. */
function lowerBound(entries: readonly { key: string }[], key: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.key ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The children on the way to any of the (sorted) keys. */
function touched(children: readonly ChildEntry[], keys: readonly string[]): ChildEntry[] {
  return children.filter((child, i) => {
    const key = keys[i === 0 ? 0 : firstAbove(keys, children[i - 1]?.key ?? '')];
    return key !== undefined && (key <= child.key || i === children.length - 1);
  });
}

/** Index of the first key above `key`. */
function firstAbove(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What nodes are made with, and those that were made. */
interface Making {
  task: string;
  parameters: TreeParameters;
  fresh: Map<string, EncodedNode>;
}

/**
 * Applies edits (the last one of a key counts) and writes the nodes that are new. `task`: name of the kind that knows the
 * records' annotations.
 */
export async function applyEdits(
  store: NodeStore,
  root: string | null,
  edits: readonly Edit[],
  { task, parameters = defaultParameters }: { task: string; parameters?: TreeParameters | undefined },
): Promise<Applied> {
  const last = new Map(edits.map((e) => [e.key, e.record]));
  const sorted: EntryEdit[] = [...last]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, record]) => ({ key, entry: record === null ? null : { key, record } }));
  const making = { task, parameters, fresh: new Map<string, EncodedNode>() };
  const top =
    root === null
      ? await grow(
          sorted.flatMap((e) => (e.entry === null ? [] : [e.entry])),
          0,
          making,
        )
      : await change(store, root, sorted, making);
  if (top === null)
    return { root: null, totals: totalsOf({ task, level: 0, entries: [] }), nodesWritten: 0, bytesWritten: 0 };
  const written = [...reachable(top.digest, making.fresh)];
  await pMap(written, ({ digest, bytes }) => store.put(digest, bytes), { concurrency: width });
  return {
    root: top.digest,
    totals: top.totals,
    nodesWritten: written.length,
    bytesWritten: written.reduce((sum, { bytes }) => sum + bytes.length, 0),
  };
}

/** New nodes that the root needs; nodes that a lower root made needless are left out. */
function* reachable(root: string, fresh: Map<string, EncodedNode>): Generator<EncodedNode> {
  const node = fresh.get(root);
  if (node === undefined) return;
  if (!isLeaf(node.node)) for (const child of node.node.entries as ChildEntry[]) yield* reachable(child.digest, fresh);
  // children first: a root is never there without what it refers to
  yield node;
}

type Root = { digest: string; totals: Totals } | null;

/** Builds levels upwards from a sequence of entries until one node holds all. */
async function grow(entries: Entry[], level: number, making: Making): Promise<Root> {
  let sequence = entries;
  for (let at = level; sequence.length > 0; at++) {
    const chunker = new Chunker<Entry>(at, making.parameters);
    for (const entry of sequence) chunker.add(entry);
    chunker.flush();
    const nodes = chunker.chunks.map((chunk) => remember(at, chunk, making));
    if (nodes.length === 1 && nodes[0] !== undefined) return { digest: nodes[0].digest, totals: nodes[0].entry.totals };
    sequence = nodes.map((n) => n.entry);
  }
  return null;
}

function remember(level: number, chunk: Entry[], { task, fresh }: Making): EncodedNode {
  const node = encoded(
    level === 0 ? { task, level: 0, entries: chunk as LeafEntry[] } : { task, level, entries: chunk as ChildEntry[] },
  );
  fresh.set(node.digest, node);
  return node;
}

/** Edits an old tree level by level: what changes in one level's nodes are the edits of the level above. */
async function change(store: NodeStore, root: string, sorted: EntryEdit[], making: Making): Promise<Root> {
  const old = new Old(store, root);
  await old.prefetch(sorted.map((e) => e.key));
  const height = (await old.node(root)).level;
  let edits = sorted;
  for (let level = 0; level < height; level++) edits = await changeLevel(old, level, edits, making);
  const top = await old.node(root);
  const entries = merge(top.entries, edits);
  return settleRoot(store, await grow(entries, height, making), making.fresh);
}

/** A root with a single child is not canonical: the child is the root. */
async function settleRoot(store: NodeStore, root: Root, fresh: Map<string, EncodedNode>): Promise<Root> {
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
async function changeLevel(old: Old, level: number, edits: EntryEdit[], making: Making): Promise<EntryEdit[]> {
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
      for (const entry of merge(node.entries, edits.slice(at, end))) chunker.add(entry);
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
