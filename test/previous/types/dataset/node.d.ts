import type { Split } from '../sample/document.ts';
import { type SampleRecord } from './record.ts';
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
  | {
      task: string;
      level: 0;
      entries: LeafEntry[];
    }
  | {
      task: string;
      level: number;
      entries: ChildEntry[];
    };
/** Content id of a node: sha-256 of its bytes, in hex. */
export declare const digestOfNode: (bytes: Buffer) => string;
/** Whether a node holds records. */
export declare const isLeaf: (node: Node) => node is {
  task: string;
  level: 0;
  entries: LeafEntry[];
};
/** Counts that know no names but their own: classes may be called `constructor` or `toString`. */
export declare const noCounts: () => Record<string, number>;
/** Counts over a node's entries. */
export declare function totalsOf(node: Node): Totals;
