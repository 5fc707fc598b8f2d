/** The same picture in other bytes: one sample, whoever is first, and wherever anybody dies on the way. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ingest, type IngestPorts } from '../../../shared/upload/ingest.ts';
import { splitOf } from '../../../shared/sample/split.ts';
import type { BlobCreatedEvent } from '../../../shared/delivery/message.ts';
import { samplePartition } from '../../../shared/sample/partition.ts';
import { acceptedImage } from '../image/accepted.ts';
import { createFakes, type Fakes } from '../../simulation/fakes.ts';
import { committed, look, name, projectIn, sampleOf } from '../dataset/committing.ts';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const read = (bytes: Buffer) => acceptedImage(bytes, undefined, bytes.toString().split(',')[0]);

/** Decoding is tested elsewhere: here every file is a small image, which shows what stands before a comma. */
const portsOf = (world: Fakes): IngestPorts => ({
  ...world.ports,
  inspect: (bytes) => Promise.resolve({ ...read(bytes), trailingBytes: 3, declaredType: 'image/jpeg' }),
});

async function upload(world: Fakes, blob: string, body: string): Promise<BlobCreatedEvent> {
  await world.ports.blobs.overwrite('uploads', blob, body);
  const stored = await world.ports.blobs.get('uploads', blob, { maxBytes: 1000 });
  const etag = typeof stored === 'object' ? stored.etag : '';
  return {
    ...{ specversion: '1.0', id: `event-${blob}`, source: 'test', type: 'Microsoft.Storage.BlobCreated' },
    ...{ subject: `/blobServices/default/containers/uploads/blobs/${blob}`, data: { url: '', eTag: etag } },
  };
}

const outcomesIn = (world: Fakes): string[] =>
  world
    .all('uploads')
    .map(({ status }) => status)
    .sort();

describe('the same picture in other bytes', () => {
  test('is a duplicate, under another label a conflict, and shares one split', async () => {
    const world = createFakes();
    const project = projectIn(world);
    const outcomes: string[] = [];
    for (const [blob, body] of [
      ['a/1.png', 'one,png'],
      ['a/2.png', 'one,webp'],
      ['b/3.png', 'one,png level 9'],
      ['4.png', 'one,png'],
    ] as const)
      outcomes.push((await ingest(portsOf(world), await upload(world, `${name}/${blob}`, body))).outcome);
    expect(outcomes).toEqual(['accepted', 'duplicate', 'conflict', 'duplicate']);
    const [sample, ...others] = world.all('samples');
    expect(others).toEqual([]);
    expect(sample).toMatchObject({ id: md5('one,png'), conflicts: [{ annotation: { label: 'b' } }] });
    expect(sample?.split).toBe(splitOf(read(Buffer.from('one')).pixelDigest, project.settings.split));
    expect(world.all('uploads').map((one) => one.sample)).toEqual(Array(4).fill(md5('one,png')));
  });

  test('at the same moment makes one sample, wherever both die on the way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3), { minLength: 60, maxLength: 60 }),
        fc.array(fc.nat(60), { maxLength: 3 }),
        fc.boolean(),
        async (turns, deaths, labelled) => {
          const world = createFakes();
          projectIn(world);
          const events = await Promise.all([
            upload(world, `${name}/a/1.png`, 'one,png'),
            upload(world, `${name}/a/2.png`, 'one,webp'),
            upload(world, labelled ? `${name}/a/3.png` : `${name}/3.png`, 'one,png'),
          ]);
          let operation = 0;
          world.before = async () => {
            const at = operation++;
            for (let turn = turns[at % turns.length] ?? 0; turn > 0; turn--) await Promise.resolve();
            if (deaths.includes(at)) throw new Error('died');
          };
          await Promise.allSettled(events.map((event) => ingest(portsOf(world), event)));
          world.before = () => undefined;
          for (const event of [...events, ...events]) await ingest(portsOf(world), event);
          expect(world.all('samples')).toHaveLength(1);
          const [sample] = world.all('samples');
          const maker = world.all('uploads').find(({ id }) => id === sample?.origin);
          expect(maker?.status).toMatch(/accepted|unlabelled/);
          expect(outcomesIn(world).filter((outcome) => outcome === 'duplicate')).toHaveLength(2);
          await look(world, 100);
          expect([...(await committed(world)).values()]).toEqual(['a']);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('becomes a sample though whoever claimed its pixels first never comes back', async () => {
    const world = createFakes();
    projectIn(world);
    const lost = await upload(world, `${name}/a/1.png`, 'one,png');
    world.before = (operation, detail) => {
      if (operation === 'documents.create' && detail === 'samples') throw new Error('died');
    };
    await ingest(portsOf(world), lost).catch(() => undefined);
    world.before = () => undefined;
    expect(world.all('samples')).toEqual([]);
    const second = await ingest(portsOf(world), await upload(world, `${name}/a/2.png`, 'one,webp'));
    expect(second.outcome).toBe('duplicate');
    await look(world, 100);
    expect([...(await committed(world))]).toEqual([[md5('one,png'), 'a']]);
    // its message is sent again at last, after its original was overwritten
    await upload(world, `${name}/a/1.png`, 'other');
    expect(await ingest(portsOf(world), lost)).toMatchObject({ outcome: 'accepted' });
  });

  test('claimed for bytes whose MD5 is another one’s is free for the next', async () => {
    const world = createFakes();
    projectIn(world);
    const { pixelDigest } = read(Buffer.from('one'));
    // what a file leaves that was made to have the MD5 of a sample
    const victim = { ...sampleOf(1), sha256: 'b'.repeat(64) };
    world.put('samples', victim);
    const forged = { ...victim, sha256: 'c'.repeat(64), pixelDigest };
    world.put('pixels', { id: pixelDigest, pk: samplePartition(name, pixelDigest), sample: forged });
    const outcome = await ingest(portsOf(world), await upload(world, `${name}/b/2.png`, 'one,webp'));
    expect(outcome.outcome).toBe('accepted');
    const id = md5('one,webp');
    expect((await world.read('samples', samplePartition(name, id), id))?.pixelDigest).toBe(pixelDigest);
  });

  test('as a sample of an older release, which knows no pixels, is a duplicate by its bytes', async () => {
    const world = createFakes();
    projectIn(world);
    const first = await upload(world, `${name}/a/1.png`, 'one,png');
    await ingest(portsOf(world), first);
    const [{ pixelDigest: _pixels, ...older }] = world.all('samples') as [ReturnType<typeof sampleOf>];
    world.put('samples', older);
    for (const { pk, id } of world.all('pixels')) await world.ports.documents.remove('pixels', pk, id);
    for (const body of ['one,png', 'one,webp'])
      expect((await ingest(portsOf(world), await upload(world, `${name}/a/2.png`, body))).outcome).toBe('duplicate');
  });
});

test('what was cut off and what was declared wrongly is kept with the upload and its sample, also by a second delivery', async () => {
  const world = createFakes();
  projectIn(world);
  const event = await upload(world, `${name}/a/1.png`, 'one');
  world.before = (operation, detail) => {
    if (operation === 'documents.create' && detail === 'samples') throw new Error('died');
  };
  await ingest(portsOf(world), event).catch(() => undefined);
  world.before = () => undefined;
  await upload(world, `${name}/a/1.png`, 'two');
  const again: IngestPorts = { ...portsOf(world), inspect: (bytes) => Promise.resolve(read(bytes)) };
  expect((await ingest(again, event)).outcome).toBe('accepted');
  const found = { trailingBytes: 3, declaredType: 'image/jpeg' };
  expect(world.all('uploads')[0]).toMatchObject(found);
  expect(world.all('samples')[0]).toMatchObject(found);
});
