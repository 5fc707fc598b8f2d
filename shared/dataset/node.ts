/**
 * Nodes of the version tree. A leaf holds records; an inner node holds, per child, its digest, last key, and counts, so
 * that totals need no walk. codec.ts has their bytes.
 */
import { createHash } from 'node:crypto';
import type { Split } from '../sample/document.ts';
import { taskOf } from '../task/task.ts';
import { type SampleRecord, splits } from './record.ts';

export interface Totals {
  count: number;
  byClass: Record<string, number>;
  bySplit: Record<Split, number>;
}

export interface LeafEntry {
  key: string;
  record: SampleRecord;
}

export interface ChildEntry {
  /** last key below this child */
  key: string;
  digest: string;
  totals: Totals;
}

/** `task`: the kind that knows what the records' annotations are */
export type Node =
  | { task: string; level: 0; entries: LeafEntry[] }
  | { task: string; level: number; entries: ChildEntry[] };

/** Content id of a node: sha-256 of its bytes, in hex. */
export const digestOfNode = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Whether a node holds records. */
export const isLeaf = (node: Node): node is { task: string; level: 0; entries: LeafEntry[] } => node.level === 0;

/** Counts that know no names but their own: classes may be called `constructor` or `toString`. */
export const noCounts = (): Record<string, number> => Object.create(null) as Record<string, number>;

/** Counts over a node's entries. */
export function totalsOf(node: Node): Totals {
  const totals: Totals = { count: 0, byClass: noCounts(), bySplit: { train: 0, validation: 0, test: 0 } };
  const add = ([name, n]: readonly [string, number]): void => {
    totals.byClass[name] = (totals.byClass[name] ?? 0) + n;
  };
  if (isLeaf(node)) {
    const kind = taskOf(node);
    for (const { record } of node.entries) {
      totals.count++;
      kind.counts(record.annotation).forEach(add);
      totals.bySplit[record.split]++;
    }
    return totals;
  }
  for (const child of node.entries as ChildEntry[]) {
    totals.count += child.totals.count;
    Object.entries(child.totals.byClass).forEach(add);
    for (const split of splits) totals.bySplit[split] += child.totals.bySplit[split];
  }
  return totals;
}
