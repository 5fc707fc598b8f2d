import { expect, test } from 'vitest';
import { type Change, changePage } from '../../../shared/dataset/diff.ts';
import { applyEdits, type Edit } from '../../../shared/dataset/edit.ts';
import { keyOf, MemoryStore, sample, small } from './samples.ts';

const put = (n: number, label?: string): Edit => ({ key: keyOf(n), record: sample(n, label) });

test('the pages of a difference hold every change once, and each page counts all of them', async () => {
  const store = new MemoryStore();
  const start = Array.from({ length: 60 }, (_, n) => put(n));
  const before = await applyEdits(store, null, start, small);
  const edits: Edit[] = [
    ...Array.from({ length: 7 }, (_, n) => put(n, 'other')),
    ...Array.from({ length: 5 }, (_, n) => ({ key: keyOf(20 + n), record: null })),
    ...Array.from({ length: 11 }, (_, n) => put(100 + n)),
  ];
  const after = await applyEdits(store, before.root, edits, small);
  const pages: Change[][] = [];
  let seen: string | undefined = '';
  while (seen !== undefined && pages.length < 20) {
    const page = await changePage(store, [before.root, after.root], { seen, limit: 10 });
    expect(page.counts).toEqual({ added: 11, removed: 5, relabelled: 7 });
    pages.push(page.changes);
    seen = page.last;
  }
  expect(pages.map((page) => page.length)).toEqual([10, 10, 3]);
  expect(pages.flat().map(({ key }) => key)).toEqual(edits.map(({ key }) => key).sort());
});
