/** Reading a version: streaming, with memory that does not grow with its size. */
import type { Split } from '../sample/document.ts';
import { type ChildEntry, isLeaf, type LeafEntry } from './node.ts';
import { type NodeStore, readNode } from './tree.ts';

export interface WalkOptions {
  /** only keys above this one */
  after?: string;
  limit?: number;
  split?: Split;
}

/** Entries of a version in key order. Subtrees without the wanted split are skipped unread. */
export async function* entries(
  store: NodeStore,
  root: string | null,
  options: WalkOptions = {},
): AsyncGenerator<LeafEntry> {
  const { after, split, limit = Number.POSITIVE_INFINITY } = options;
  if (root === null || limit <= 0) return;
  let left = limit;
  const stack = [root];
  while (stack.length > 0) {
    const node = await readNode(store, stack.pop() ?? '');
    if (!isLeaf(node)) {
      const wanted = (node.entries as ChildEntry[]).filter(
        (child) =>
          (after === undefined || child.key > after) && (split === undefined || child.totals.bySplit[split] > 0),
      );
      stack.push(...wanted.map((child) => child.digest).reverse());
      continue;
    }
    for (const entry of node.entries) {
      if (after !== undefined && entry.key <= after) continue;
      if (split !== undefined && entry.record.split !== split) continue;
      yield entry;
      if (--left <= 0) return;
    }
  }
}
