import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diff } from '../../../shared/dataset/diff.ts';
import { applyEdits, type Edit } from '../../../shared/dataset/edit.ts';
import { decodeNode, encodeNode } from '../../../shared/dataset/codec.ts';
import { totalsOf } from '../../../shared/dataset/node.ts';
import { totals } from '../../../shared/dataset/tree.ts';
import { entries } from '../../../shared/dataset/entries.ts';
import { keyOf, MemoryStore, sample, small } from './samples.ts';

const { task } = small;
const put = (n: number, version = 1, label?: string): Edit => ({ key: keyOf(n, version), record: sample(n, label) });
const remove = (n: number, version = 1): Edit => ({ key: keyOf(n, version), record: null });

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const step = fc.record({
  n: fc.nat(300),
  version: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom('put', 'relabel', 'remove'),
});
const toEdit = ({ n, version, kind }: { n: number; version: number; kind: string }): Edit =>
  kind === 'remove' ? remove(n, version) : put(n, version, kind === 'relabel' ? 'other' : undefined);

describe('a version tree', () => {
  test('has a root that depends on its contents alone, whatever the order and batches of edits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { maxLength: 120 }), { maxLength: 6 }), async (batches) => {
        const store = new MemoryStore();
        const model = new Map<string, Edit>();
        let root: string | null = null;
        for (const batch of batches) {
          const edits = batch.map(toEdit);
          root = (await applyEdits(store, root, edits, small)).root;
          for (const edit of edits) {
            if (edit.record === null) model.delete(edit.key);
            else model.set(edit.key, edit);
          }
        }
        const rebuilt = await applyEdits(new MemoryStore(), null, [...model.values()].reverse(), small);
        expect(root).toBe(rebuilt.root);
        const keys = (await collect(entries(store, root))).map((e) => e.key);
        expect(keys).toEqual([...model.keys()].sort());
        expect((await totals(store, root)).count).toBe(model.size);
      }),
      { numRuns: 60 },
    );
  });

  test('cuts leaves that show much earlier, and still has a root that depends on its contents alone', async () => {
    const few = { task: 'detection', parameters: { ...small.parameters, maxShown: 10 } };
    const boxes = (count: number) => ({
      boxes: Array.from({ length: count }, (_, x) => ({ class: 'cat', x, y: 0, width: 1, height: 1 })),
    });
    const shown = fc.record({ n: fc.nat(60), count: fc.constantFrom(0, 1, 3, 12) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(shown, { maxLength: 40 }), { maxLength: 4 }), async (batches) => {
        const store = new MemoryStore();
        const model = new Map<string, Edit>();
        let root: string | null = null;
        for (const batch of batches) {
          const edits = batch.map(({ n, count }) => ({
            key: keyOf(n),
            record: { ...sample(n), annotation: boxes(count) },
          }));
          ({ root } = await applyEdits(store, root, edits, few));
          for (const edit of edits) model.set(edit.key, edit);
        }
        const rebuilt = new MemoryStore();
        expect(root).toBe((await applyEdits(rebuilt, null, [...model.values()], few)).root);
        for (const bytes of rebuilt.nodes.values()) {
          const node = decodeNode(bytes);
          if (node.level === 0) expect(totalsOf(node).byClass['cat'] ?? 0).toBeLessThanOrEqual(10 + 12);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('differs from another exactly by what was edited', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(400), { maxLength: 200 }),
        fc.array(step, { maxLength: 40 }),
        async (start, steps) => {
          const store = new MemoryStore();
          const before = await applyEdits(
            store,
            null,
            start.map((n) => put(n)),
            small,
          );
          const after = await applyEdits(store, before.root, steps.map(toEdit), small);
          const old = new Map(
            (await collect(entries(store, before.root))).map((e) => [e.key, e.record.annotation['label']]),
          );
          const now = new Map(
            (await collect(entries(store, after.root))).map((e) => [e.key, e.record.annotation['label']]),
          );
          const expected = [...new Set([...old.keys(), ...now.keys()])].filter((k) => old.get(k) !== now.get(k)).sort();
          const changes = await collect(diff(store, before.root, after.root));
          expect(changes.map((c) => c.key)).toEqual(expected);
          for (const c of changes)
            expect([c.before?.annotation['label'], c.after?.annotation['label']]).toEqual([
              old.get(c.key),
              now.get(c.key),
            ]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('reads few nodes to find one change among many', async () => {
    const store = new MemoryStore();
    const before = await applyEdits(
      store,
      null,
      Array.from({ length: 20_000 }, (_, n) => put(n)),
      { task },
    );
    const after = await applyEdits(store, before.root, [put(77, 1, 'other')], { task });
    store.reads = 0;
    expect(await collect(diff(store, before.root, after.root))).toHaveLength(1);
    expect(store.reads).toBeLessThanOrEqual(6);
    expect(after.nodesWritten).toBeLessThanOrEqual(3);
  });

  test('skips subtrees without the wanted split, and pages by key', async () => {
    const store = new MemoryStore();
    const { root, totals: counts } = await applyEdits(
      store,
      null,
      Array.from({ length: 500 }, (_, n) => put(n)),
      small,
    );
    const tests = await collect(entries(store, root, { split: 'test' }));
    expect(tests).toHaveLength(counts.bySplit.test);
    const all = await collect(entries(store, root));
    const page = await collect(entries(store, root, { after: all[99]?.key ?? '', limit: 50 }));
    expect(page).toEqual(all.slice(100, 150));
  });

  test('refuses a node whose bytes are not those of its digest', async () => {
    const store = new MemoryStore();
    const { root } = await applyEdits(store, null, [put(1), put(2)], small);
    const bytes = store.nodes.get(root ?? '');
    bytes?.writeUInt8((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1);
    await expect(collect(entries(store, root))).rejects.toThrow('damaged');
  });

  test('encodes nodes of both kinds without loss, with labels in any script', async () => {
    const leaf = {
      task,
      level: 0 as const,
      entries: [1, 2].map((n) => ({ key: keyOf(n), record: sample(n, `Katze 猫 ${n}`) })),
    };
    expect(decodeNode(encodeNode(leaf))).toEqual(leaf);
    const counts = {
      count: 300_000,
      byClass: { a: 299_999, 猫: 1 },
      bySplit: { train: 1, validation: 2, test: 299_997 },
    };
    const inner = { task, level: 3, entries: [{ key: keyOf(9), digest: sample(9).sha256, totals: counts }] };
    expect(decodeNode(encodeNode(inner))).toEqual(inner);
  });
});
