/** Changing a version tree: k edits read and write O(k log N) nodes. */
import pMap from 'p-map';
import { change, type EntryEdit } from './change.ts';
import { grow } from './grow.ts';
import { type ChildEntry, isLeaf, type Totals, totalsOf } from './node.ts';
import type { SampleRecord } from './record.ts';
import { defaultParameters, type EncodedNode, type NodeStore, type TreeParameters } from './tree.ts';

/** nodes that are written at once */
const parallel = 16;

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
      ? grow(
          sorted.flatMap((e) => (e.entry === null ? [] : [e.entry])),
          0,
          making,
        )
      : await change(store, root, sorted, making);
  if (top === null)
    return { root: null, totals: totalsOf({ task, level: 0, entries: [] }), nodesWritten: 0, bytesWritten: 0 };
  const written = [...reachable(top.digest, making.fresh)];
  await pMap(written, ({ digest, bytes }) => store.put(digest, bytes), { concurrency: parallel });
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
