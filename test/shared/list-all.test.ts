import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StagedDocument } from '../../shared/sample/document.ts';
import { listAll } from '../../shared/list-all.ts';
import { createFakes, type Fakes } from '../simulation/fakes.ts';

const staged = (n: number): StagedDocument => ({
  ...{
    id: `sample-${n}`,
    pk: 'digits',
    md5: 'a'.repeat(32),
    revision: 1,
    stagedAt: new Date(n * 1000).toISOString(),
  },
});
const oldestFirst = { field: 'stagedAt' as const, descending: false };

function filled(count: number): Fakes {
  const world = createFakes();
  for (let n = 0; n < count; n++) world.put('staged', staged(n));
  return world;
}

async function listed(world: Fakes, limit: number, most: number, ordered: boolean): Promise<string[]> {
  const query = { pk: 'digits', limit, ...(ordered ? { orderBy: oldestFirst } : {}) };
  const ids: string[] = [];
  for await (const { document } of listAll(world.ports.documents, 'staged', query, most)) ids.push(document.id);
  return ids;
}

describe('a listing', () => {
  test('gives every document once, as many as are asked for, whatever the size of its pages', async () => {
    const sizes = { count: fc.nat(40), limit: fc.integer({ min: 1, max: 12 }), most: fc.integer({ min: 1, max: 50 }) };
    await fc.assert(
      fc.asyncProperty(fc.record({ ...sizes, ordered: fc.boolean() }), async ({ count, limit, most, ordered }) => {
        const world = filled(count);
        let pages = 0;
        world.before = (operation) => void (pages += operation === 'documents.query' ? 1 : 0);
        const all = Array.from({ length: count }, (_, n) => `sample-${n}`);
        expect(await listed(world, limit, most, ordered)).toEqual(all.slice(0, most));
        expect(pages).toBeLessThanOrEqual(Math.floor(Math.min(count, most) / limit) + 1);
      }),
    );
  });

  test('reads no page that nobody asks for', async () => {
    const world = filled(30);
    const pages: string[] = [];
    world.before = (operation) => void pages.push(operation);
    for await (const { document } of listAll(world.ports.documents, 'staged', { pk: 'digits', limit: 10 }, 30)) {
      if (document.id === 'sample-12') break;
    }
    expect(pages).toEqual(['documents.query', 'documents.query']);
  });
});
