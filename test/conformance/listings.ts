/** What handlers rely on of listings: whole and in order, while documents come and go. */
import { describe, expect, test } from 'vitest';
import type { DeadLetterDocument } from '../../shared/delivery/document.ts';
import type { StagedDocument } from '../../shared/sample/document.ts';
import { TerminalError } from '../../shared/errors.ts';
import type { Documents, DocumentQuery } from '../../shared/ports.ts';

/** So many seconds into 2026. */
export const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
/** A sample that waits for a version. */
export const staged = (pk: string, id: string, stagedAt = at(0), revision = 1): StagedDocument => ({
  ...{ id, pk, stagedAt, revision },
});

/** Ids page by page, with something done between the pages. */
async function pages(
  documents: Documents,
  query: DocumentQuery<'staged'>,
  between: (ids: string[]) => Promise<unknown> = () => Promise.resolve(),
): Promise<string[]> {
  const ids: string[] = [];
  let continuation: string | undefined;
  for (let page = 0; page < 20; page++) {
    const found = await documents.query('staged', {
      ...query,
      ...(continuation === undefined ? {} : { continuation }),
    });
    expect(found.items.length).toBeLessThanOrEqual(query.limit);
    const read = found.items.map(({ document }) => document.id);
    ids.push(...read);
    ({ continuation } = found);
    if (continuation === undefined) return ids;
    await between(read);
  }
  throw new Error('the listing did not end');
}

/** Registers the tests of listings; `fresh` gives a partition that nothing is in. */
export function listings(port: () => Documents, fresh: () => string): void {
  const fill = async (pk: string, seconds: number[]): Promise<void> => {
    for (const [i, second] of seconds.entries()) await port().create('staged', staged(pk, `d${i}`, at(second)));
  };
  const rising = { field: 'stagedAt' as const, descending: false };
  const falling = { field: 'stagedAt' as const, descending: true };

  describe('a listing', () => {
    test('is ordered by its field, and by id where that is equal', async () => {
      const pk = fresh();
      await fill(pk, [3, 1, 2, 1, 3]);
      expect(await pages(port(), { pk, orderBy: rising, limit: 10 })).toEqual(['d1', 'd3', 'd2', 'd0', 'd4']);
      expect(await pages(port(), { pk, orderBy: falling, limit: 10 })).toEqual(['d4', 'd0', 'd2', 'd3', 'd1']);
    });

    test.each([1, 2, 5])('comes whole on pages of %i', async (limit) => {
      const pk = fresh();
      await fill(pk, [3, 1, 2, 1, 3]);
      expect(await pages(port(), { pk, orderBy: rising, limit })).toEqual(['d1', 'd3', 'd2', 'd0', 'd4']);
      expect((await pages(port(), { pk, limit })).sort()).toEqual(['d0', 'd1', 'd2', 'd3', 'd4']);
    });

    test('goes on where it was when documents come and go between its pages', async () => {
      const pk = fresh();
      await fill(pk, [1, 2, 3, 4, 5, 6]);
      const seen = await pages(port(), { pk, orderBy: rising, limit: 2 }, async ([first = '']) => {
        for (const name of ['new', 'newer']) await port().create('staged', staged(pk, `${name}-${first}`, at(0)));
        await port().remove('staged', pk, first);
      });
      expect(seen).toEqual(['d0', 'd1', 'd2', 'd3', 'd4', 'd5']);
    });

    test('without order passes over nothing when what it showed is removed or replaced', async () => {
      const pk = fresh();
      await fill(pk, [1, 2, 3, 4, 5, 6]);
      const seen = await pages(port(), { pk, limit: 2 }, async ([first = '', second = '']) => {
        await port().remove('staged', pk, first);
        const stored = await port().read('staged', pk, second);
        if (stored !== undefined) await port().replace('staged', { ...stored.document, revision: 9 }, stored.etag);
      });
      expect(seen.sort()).toEqual(['d0', 'd1', 'd2', 'd3', 'd4', 'd5']);
    });

    test('begins beyond a value', async () => {
      const pk = fresh();
      await fill(pk, [1, 2, 2, 3]);
      expect(await pages(port(), { pk, orderBy: rising, after: at(2), limit: 1 })).toEqual(['d3']);
      expect(await pages(port(), { pk, orderBy: falling, after: at(2), limit: 10 })).toEqual(['d0']);
    });

    test('refuses a continuation that it has not given', async () => {
      const pk = fresh();
      await fill(pk, [1, 2, 3]);
      for (const query of [
        { pk, orderBy: rising, limit: 1 },
        { pk, limit: 1 },
      ])
        await expect(port().query('staged', { ...query, continuation: 'made-up' })).rejects.toBeInstanceOf(
          TerminalError,
        );
    });

    test('gives the etags that replace', async () => {
      const pk = fresh();
      await fill(pk, [1]);
      const [item] = (await port().query('staged', { pk, limit: 1 })).items;
      expect(await port().replace('staged', staged(pk, 'd0', at(9)), item?.etag ?? '')).not.toBe('changed');
    });

    test('keeps to its partition, or covers all, and counts as it lists', async () => {
      const [one, two] = [fresh(), fresh()];
      const letter = (pk: string, id: string, status: 'waiting' | 'replayed', second: number): DeadLetterDocument => ({
        ...{ id, pk, queue: 'evaluations', messageId: one, body: '', truncated: false, reason: '', detail: '' },
        ...{ project: null, status, count: 1, firstAt: at(0), lastAt: at(second), replayedAt: null },
      });
      await port().create('dead-letters', letter(one, 'a', 'waiting', 1));
      await port().create('dead-letters', letter(one, 'b', 'replayed', 2));
      await port().create('dead-letters', letter(two, 'c', 'waiting', 3));
      const ids = async (query: Partial<DocumentQuery<'dead-letters'>>): Promise<string[]> =>
        (await port().query('dead-letters', { limit: 1000, ...query })).items
          .filter(({ document }) => document.messageId === one)
          .map(({ document }) => document.id)
          .sort();
      expect(await ids({ pk: one })).toEqual(['a', 'b']);
      expect(await ids({ pk: one, equals: { status: 'waiting' } })).toEqual(['a']);
      expect(await ids({ equals: { status: 'waiting' } })).toEqual(['a', 'c']);
      expect(await ids({ orderBy: { field: 'lastAt', descending: true } })).toEqual(['a', 'b', 'c']);
      expect(await port().count('dead-letters', { pk: one })).toBe(2);
      expect(await port().count('dead-letters', { pk: one, equals: { status: 'replayed' } })).toBe(1);
      expect(await port().count('dead-letters', { pk: fresh() })).toBe(0);
    });

    test('tells null from a missing field and from text', async () => {
      const pk = fresh();
      const prediction = (id: string, error: string | null) => ({
        ...{ id, pk, project: pk, model: { number: 1, digest: '' }, version: { id: '', number: 1 }, deployment: 'd' },
        ...{
          role: 'production' as const,
          sha256: '',
          task: 'classification',
          prediction: null,
          error,
          durationMs: 1,
          at: at(0),
        },
      });
      await port().create('predictions', prediction('fine', null));
      await port().create('predictions', prediction('failed', 'null'));
      const { error: _none, ...without } = prediction('without', null);
      await port().create('predictions', without as never);
      expect(await port().count('predictions', { pk, equals: { error: null } })).toBe(1);
      expect(await port().count('predictions', { pk, equals: { error: 'null' } })).toBe(1);
      expect(await port().count('predictions', { pk, equals: { project: pk, deployment: 'd' } })).toBe(3);
    });
  });
}
