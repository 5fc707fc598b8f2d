/** What handlers rely on of documents: compare-and-swap, atomic batches, listings. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { DeadLetterDocument, EventDocument, StagedDocument } from '../../shared/documents.ts';
import { TerminalError } from '../../shared/errors.ts';
import type { Documents, DocumentQuery } from '../../shared/ports.ts';
import type { Open, Subject } from './subject.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const staged = (pk: string, id: string, stagedAt = at(0), labelRevision = 1): StagedDocument => ({
  ...{ id, pk, stagedAt, labelRevision },
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

/** Registers the tests of the documents port. */
export function documentsConform(open: Open): void {
  let subject: Subject;
  let documents: Documents;
  let partitions = 0;
  beforeAll(async () => {
    subject = await open();
    ({ documents } = subject);
  });
  /** a partition that nothing is in */
  const fresh = (): string => `${subject.unique}-${++partitions}`;
  const create = async (document: StagedDocument): Promise<string> => {
    const made = await documents.create('staged', document);
    if (made === 'exists') throw new Error(`${document.id} exists`);
    return made.etag;
  };

  describe('a document', () => {
    test('comes back as it was written, and nobody shares it', async () => {
      const pk = fresh();
      const text = 'ü é 数 \u0000 "\\';
      const document: EventDocument = {
        ...{ id: 'a', pk, type: 't', subject: text, text: '' },
        at: at(1),
        cause: null,
        by: null,
      };
      const made = await documents.create('events', document);
      document.text = 'changed later';
      expect(made).toMatchObject({ document: { subject: text, text: '', cause: null } });
      const read = await documents.read('events', pk, 'a');
      expect(read).toEqual(made);
      if (read !== undefined) read.document.text = 'changed later';
      expect((await documents.read('events', pk, 'a'))?.document.text).toBe('');
    });

    test('is created once', async () => {
      const pk = fresh();
      const etag = await create(staged(pk, 'a'));
      expect(await documents.create('staged', staged(pk, 'a', at(0), 2))).toBe('exists');
      expect(await documents.read('staged', pk, 'a')).toEqual({ document: staged(pk, 'a'), etag });
    });

    test('of the same id in another partition, or in another container, is another one', async () => {
      const [one, two] = [fresh(), fresh()];
      await create(staged(one, 'a'));
      await create(staged(two, 'a', at(0), 2));
      expect((await documents.read('staged', one, 'a'))?.document.labelRevision).toBe(1);
      expect(await documents.read('windows', one, 'a')).toBeUndefined();
    });

    test('that is not there is read as undefined, whatever its id', async () => {
      for (const id of ['none', 'a/b', 'a\\b', 'a?b', 'a#b', 'x'.repeat(2000)])
        expect(await documents.read('staged', fresh(), id).catch(() => undefined)).toBeUndefined();
    });

    test.each([
      ['is empty', ''],
      ['holds a slash', 'a/b'],
      ['holds a backslash', 'a\\b'],
      ['holds a question mark', 'a?b'],
      ['holds a hash', 'a#b'],
      ['ends with a space', 'a '],
      ['has more than 1023 bytes', 'é'.repeat(512)],
    ])('whose id %s is refused', async (_why, id) => {
      const pk = fresh();
      await expect(documents.create('staged', staged(pk, id))).rejects.toThrow();
      expect(await documents.count('staged', { pk })).toBe(0);
    });

    test('may have an id of 1023 bytes and characters of every kind', async () => {
      const pk = fresh();
      for (const id of [`${'é'.repeat(511)}x`, 'a b\'c"d%20&=+.:ü']) {
        await create(staged(pk, id));
        expect((await documents.read('staged', pk, id))?.document.id).toBe(id);
      }
    });

    test('whose partition key has more than 2048 bytes is refused', async () => {
      await expect(documents.create('staged', staged('é'.repeat(1025), 'a'))).rejects.toThrow();
    });

    test('has 2 MB at most, counted in UTF-8', async () => {
      const pk = fresh();
      const sized = (id: string, text: string): EventDocument => ({
        ...{ id, pk, type: 't', subject: 's', text, at: at(0), cause: null, by: null },
      });
      expect(await documents.create('events', sized('fits', 'x'.repeat(1_900_000)))).toMatchObject({});
      await expect(documents.create('events', sized('large', 'x'.repeat(2_100_000)))).rejects.toThrow();
      await expect(documents.create('events', sized('wide', 'é'.repeat(1_100_000)))).rejects.toThrow();
      expect(await documents.count('events', { pk })).toBe(1);
    });
  });

  describe('compare and swap', () => {
    test('replaces what was read, once', async () => {
      const pk = fresh();
      const first = await create(staged(pk, 'a'));
      const second = await documents.replace('staged', staged(pk, 'a', at(0), 2), first);
      expect(second).toMatchObject({ document: { labelRevision: 2 } });
      expect(await documents.replace('staged', staged(pk, 'a', at(0), 3), first)).toBe('changed');
      expect(await documents.read('staged', pk, 'a')).toEqual(second);
    });

    test('sees a change that changed nothing', async () => {
      const pk = fresh();
      const first = await create(staged(pk, 'a'));
      const second = await documents.replace('staged', staged(pk, 'a'), first);
      expect(second === 'changed' ? '' : second.etag).not.toBe(first);
      expect(await documents.replace('staged', staged(pk, 'a'), first)).toBe('changed');
    });

    test('does not bring back what was removed', async () => {
      const pk = fresh();
      const etag = await create(staged(pk, 'a'));
      expect(await documents.remove('staged', pk, 'a')).toBe('removed');
      expect(await documents.replace('staged', staged(pk, 'a'), etag)).toBe('changed');
      expect(await documents.read('staged', pk, 'a')).toBeUndefined();
    });

    test('does not take the etag of a document that was made anew', async () => {
      const pk = fresh();
      const old = await create(staged(pk, 'a'));
      await documents.remove('staged', pk, 'a');
      await create(staged(pk, 'a'));
      expect(await documents.replace('staged', staged(pk, 'a', at(0), 9), old)).toBe('changed');
      expect(await documents.remove('staged', pk, 'a', old)).toBe('changed');
    });

    test('lets one of many win', async () => {
      const pk = fresh();
      const etag = await create(staged(pk, 'a'));
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, i) => documents.replace('staged', staged(pk, 'a', at(0), i), etag)),
      );
      expect(answers.filter((answer) => answer !== 'changed')).toHaveLength(1);
    });

    test('lets one of many create', async () => {
      const pk = fresh();
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, i) => documents.create('staged', staged(pk, 'a', at(0), i))),
      );
      expect(answers.filter((answer) => answer !== 'exists')).toHaveLength(1);
    });

    test('removes what was read, or says why not', async () => {
      const pk = fresh();
      const first = await create(staged(pk, 'a'));
      await documents.replace('staged', staged(pk, 'a', at(0), 2), first);
      expect(await documents.remove('staged', pk, 'a', first)).toBe('changed');
      expect(await documents.remove('staged', pk, 'a', '"never"')).toBe('changed');
      expect(await documents.remove('staged', pk, 'a')).toBe('removed');
      expect(await documents.remove('staged', pk, 'a', first)).toBe('gone');
      expect(await documents.remove('staged', pk, 'a')).toBe('gone');
    });
  });

  batches(() => documents, fresh);
  listings(() => documents, fresh);
}

function batches(port: () => Documents, fresh: () => string): void {
  /** what is in the partition, as `id revision` */
  const contents = async (pk: string): Promise<string[]> =>
    (await port().query('staged', { pk, limit: 1000 })).items
      .map(({ document }) => `${document.id} ${document.labelRevision}`)
      .sort();

  describe('a batch', () => {
    test('creates, replaces and removes in one step', async () => {
      const pk = fresh();
      const [a, b] = [await port().create('staged', staged(pk, 'a')), await port().create('staged', staged(pk, 'b'))];
      if (a === 'exists' || b === 'exists') throw new Error('not fresh');
      const answer = await port().batch('staged', pk, [
        { kind: 'create', document: staged(pk, 'c') },
        { kind: 'replace', document: staged(pk, 'a', at(0), 2), etag: a.etag },
        { kind: 'remove', id: 'b', etag: b.etag },
      ]);
      expect(answer).toBe('done');
      expect(await contents(pk)).toEqual(['a 2', 'c 1']);
      expect(await port().replace('staged', staged(pk, 'a'), a.etag)).toBe('changed');
    });

    test.each([
      ['creates what exists', (pk: string) => ({ kind: 'create' as const, document: staged(pk, 'a') })],
      [
        'replaces what has changed',
        (pk: string) => ({ kind: 'replace' as const, document: staged(pk, 'a', at(0), 5), etag: '"old"' }),
      ],
      [
        'replaces what is gone',
        (pk: string) => ({ kind: 'replace' as const, document: staged(pk, 'none'), etag: '"old"' }),
      ],
      ['removes what has changed', () => ({ kind: 'remove' as const, id: 'a', etag: '"old"' })],
      ['removes what is gone', () => ({ kind: 'remove' as const, id: 'none' })],
    ])('that %s does nothing at all', async (_what, operation) => {
      const pk = fresh();
      await port().create('staged', staged(pk, 'a'));
      const answer = await port().batch('staged', pk, [
        { kind: 'create', document: staged(pk, 'before') },
        operation(pk),
        { kind: 'create', document: staged(pk, 'after') },
      ]);
      expect(answer).toBe('conflict');
      expect(await contents(pk)).toEqual(['a 1']);
    });

    test('sees its own operations, in their order', async () => {
      const pk = fresh();
      const twice = [staged(pk, 'a'), staged(pk, 'a')].map((document) => ({ kind: 'create' as const, document }));
      expect(await port().batch('staged', pk, twice)).toBe('conflict');
      expect(
        await port().batch('staged', pk, [
          { kind: 'create', document: staged(pk, 'a') },
          { kind: 'remove', id: 'a' },
          { kind: 'create', document: staged(pk, 'a', at(0), 2) },
        ]),
      ).toBe('done');
      expect(await contents(pk)).toEqual(['a 2']);
    });

    test('is refused when one of its documents is of another partition, or cannot be', async () => {
      const [pk, other] = [fresh(), fresh()];
      for (const document of [staged(other, 'a'), staged(pk, 'a/b')])
        await expect(
          port().batch('staged', pk, [
            { kind: 'create', document: staged(pk, 'b') },
            { kind: 'create', document },
          ]),
        ).rejects.toThrow();
      expect([await contents(pk), await contents(other)]).toEqual([[], []]);
    });

    test('has 100 operations at most, and may have none', async () => {
      const pk = fresh();
      const many = (count: number) =>
        Array.from({ length: count }, (_, i) => ({ kind: 'create' as const, document: staged(pk, `d${i}`) }));
      await expect(port().batch('staged', pk, many(101))).rejects.toThrow();
      expect(await port().count('staged', { pk })).toBe(0);
      expect(await port().batch('staged', pk, many(100))).toBe('done');
      expect(await port().count('staged', { pk })).toBe(100);
      expect(await port().batch('staged', pk, [])).toBe('done');
    });

    test('has 2 MB at most, all its documents together', async () => {
      const pk = fresh();
      const large = (id: string): EventDocument => ({
        ...{ id, pk, type: 't', subject: 's', text: 'x'.repeat(800_000), at: at(0), cause: null, by: null },
      });
      const batch = ['a', 'b', 'c'].map((id) => ({ kind: 'create' as const, document: large(id) }));
      await expect(port().batch('events', pk, batch)).rejects.toThrow();
      expect(await port().count('events', { pk })).toBe(0);
      expect(await port().batch('events', pk, batch.slice(0, 2))).toBe('done');
    });

    test('of two that want the same, one is done', async () => {
      const pk = fresh();
      const answers = await Promise.all(
        ['x', 'y', 'z'].map((name) =>
          port().batch('staged', pk, [
            { kind: 'create', document: staged(pk, name) },
            { kind: 'create', document: staged(pk, 'a') },
          ]),
        ),
      );
      expect(answers.sort()).toEqual(['conflict', 'conflict', 'done']);
      expect(await port().count('staged', { pk })).toBe(2);
    });
  });
}

function listings(port: () => Documents, fresh: () => string): void {
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
        if (stored !== undefined) await port().replace('staged', { ...stored.document, labelRevision: 9 }, stored.etag);
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
        ...{ role: 'production' as const, sha256: '', class: null, probabilities: {}, error, durationMs: 1, at: at(0) },
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
