/** What handlers rely on of documents: compare-and-swap, atomic batches, listings. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { EventDocument } from '../../shared/event/document.ts';
import type { StagedDocument } from '../../shared/sample/document.ts';
import type { Documents } from '../../shared/ports.ts';
import { at, listings, staged } from './listings.ts';
import type { Open, Subject } from './subject.ts';

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
      expect((await documents.read('staged', one, 'a'))?.document.revision).toBe(1);
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
      expect(second).toMatchObject({ document: { revision: 2 } });
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
      .map(({ document }) => `${document.id} ${document.revision}`)
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
