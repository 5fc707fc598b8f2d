/** Building the upper levels of a version tree from a sequence of entries. */
import { taskOf } from '../task/task.ts';
import type { ChildEntry, LeafEntry, Totals } from './node.ts';
import { Chunker, encoded, type EncodedNode, type TreeParameters } from './tree.ts';

export type Entry = LeafEntry | ChildEntry;

/** What nodes are made with, and those that were made. */
export interface Making {
  task: string;
  parameters: TreeParameters;
  fresh: Map<string, EncodedNode>;
}

/** The top of a tree; null: it is empty. */
export type Root = { digest: string; totals: Totals } | null;

/** Builds levels upwards from a sequence of entries of `level` until one node holds all. */
export function grow(entries: Entry[], level: number, making: Making): Root {
  let sequence = entries;
  for (let at = level; sequence.length > 0; at++) {
    const chunker = new Chunker<Entry>(at, making.parameters);
    for (const entry of sequence) chunker.add(entry, shownBy(entry, making));
    chunker.flush();
    const nodes = chunker.chunks.map((chunk) => remember(at, chunk, making));
    if (nodes.length === 1 && nodes[0] !== undefined) return { digest: nodes[0].digest, totals: nodes[0].entry.totals };
    sequence = nodes.map((n) => n.entry);
  }
  return null;
}

/** How many things an entry of a leaf shows; one of an inner node is as small as any other. */
export function shownBy(entry: Entry, { task }: Pick<Making, 'task'>): number {
  if (!('record' in entry)) return 0;
  return taskOf({ task })
    .counts(entry.record.annotation)
    .reduce((sum, [, times]) => sum + times, 0);
}

/** Makes a node of a level, and remembers it to be written. */
export function remember(level: number, chunk: Entry[], { task, fresh }: Making): EncodedNode {
  const node = encoded(
    level === 0 ? { task, level: 0, entries: chunk as LeafEntry[] } : { task, level, entries: chunk as ChildEntry[] },
  );
  fresh.set(node.digest, node);
  return node;
}
