import { describe, expect, test } from 'vitest';
import { ingest, type IngestPorts } from '../../../shared/upload/ingest.ts';
import type { BlobCreatedEvent } from '../../../shared/delivery/message.ts';
import { acceptedImage } from '../image/accepted.ts';
import { createFakes, type Fakes } from '../../simulation/fakes.ts';
import { committed, look, name, projectIn } from '../dataset/committing.ts';

/** Decoding is tested elsewhere: here every file is a small image, which shows what stands before a comma. */
const portsOf = (world: Fakes): IngestPorts => ({
  ...world.ports,
  inspect: (bytes) => Promise.resolve(acceptedImage(bytes, undefined, bytes.toString().split(',')[0])),
});

async function upload(world: Fakes, blob: string, body: string): Promise<BlobCreatedEvent> {
  await world.ports.blobs.overwrite('uploads', blob, body);
  const stored = await world.ports.blobs.get('uploads', blob, { maxBytes: 1000 });
  const etag = typeof stored === 'object' ? stored.etag : '';
  return {
    ...{ specversion: '1.0', id: `event-${etag}`, source: 'test', type: 'Microsoft.Storage.BlobCreated' },
    ...{ subject: `/blobServices/default/containers/uploads/blobs/${blob}`, data: { url: '', eTag: `"${etag}"` } },
  };
}

describe('an upload', () => {
  test('is accepted, however often its event comes and wherever it dies on the way', async () => {
    for (let diesAt = 0; diesAt < 20; diesAt++) {
      const world = createFakes();
      projectIn(world);
      const event = await upload(world, `${name}/a/1.png`, 'one');
      let operations = 0;
      world.before = () => {
        if (operations++ === diesAt) throw new Error('died');
      };
      await ingest(portsOf(world), event).catch(() => undefined);
      world.before = () => undefined;
      for (let i = 0; i < 2; i++) expect((await ingest(portsOf(world), event)).outcome).toBe('accepted');
      await look(world, 100);
      expect([...(await committed(world)).values()]).toEqual(['a']);
    }
  });

  test('that labels a sample which had no label is committed, wherever it dies on the way', async () => {
    for (let diesAt = 0; diesAt < 25; diesAt++) {
      const world = createFakes();
      projectIn(world);
      expect((await ingest(portsOf(world), await upload(world, `${name}/1.png`, 'one'))).outcome).toBe('unlabelled');
      const event = await upload(world, `${name}/a/again.png`, 'one');
      let operations = 0;
      world.before = () => {
        if (operations++ === diesAt) throw new Error('died');
      };
      await ingest(portsOf(world), event).catch(() => undefined);
      world.before = () => undefined;
      expect((await ingest(portsOf(world), event)).outcome).toBe('duplicate');
      await look(world, 100);
      expect([...(await committed(world)).values()], `died at operation ${diesAt}`).toEqual(['a']);
    }
  });

  test('overwritten before it is read is superseded, and the other content is judged by its own event', async () => {
    const world = createFakes();
    projectIn(world);
    const first = await upload(world, `${name}/a/1.png`, 'one');
    const second = await upload(world, `${name}/a/1.png`, 'two');
    expect((await ingest(portsOf(world), second)).outcome).toBe('accepted');
    expect((await ingest(portsOf(world), first)).outcome).toBe('superseded');
    expect(world.all('uploads').map((u) => u.status)).toEqual(['accepted', 'superseded']);
  });

  test('whose record vanishes while it is read is tried again, and recorded anew', async () => {
    const world = createFakes();
    projectIn(world);
    const event = await upload(world, `${name}/a/1.png`, 'one');
    world.before = async (operation, detail) => {
      if (operation !== 'documents.create' || detail !== 'staged') return;
      for (const { pk, id } of world.all('uploads')) await world.ports.documents.remove('uploads', pk, id);
    };
    await expect(ingest(portsOf(world), event)).rejects.toMatchObject({ name: 'RetryLater' });
    world.before = () => undefined;
    expect(await ingest(portsOf(world), event)).toMatchObject({ outcome: 'accepted' });
    expect(world.all('uploads').map((u) => u.status)).toEqual(['accepted']);
  });

  test('to a project that is made meanwhile has one outcome, whatever each delivery saw', async () => {
    const world = createFakes();
    const event = await upload(world, `${name}/a/1.png`, 'one');
    const ports = portsOf(world);
    // the project is made right after this delivery looked for it
    const early: IngestPorts = {
      ...ports,
      documents: {
        ...ports.documents,
        read: (...asked) => (asked[0] === 'projects' ? Promise.resolve(undefined) : ports.documents.read(...asked)),
      },
    };
    projectIn(world);
    expect((await ingest(early, event)).outcome).toBe('quarantined');
    expect((await ingest(portsOf(world), event)).outcome).toBe('quarantined');
    expect(world.all('uploads').map((u) => [u.project, u.reason?.code])).toEqual([['unassigned', 'unknown-project']]);

    const second = await upload(world, `${name}/a/2.png`, 'two');
    world.before = (operation, detail) => {
      if (operation === 'documents.create' && detail === 'samples') throw new Error('died');
    };
    await ingest(portsOf(world), second).catch(() => undefined);
    world.before = () => undefined;
    await expect(ingest(early, second)).rejects.toThrow('was made while');
    expect((await ingest(portsOf(world), second)).outcome).toBe('accepted');
  });

  test('whose label is no class of the project is told which class looks like it', async () => {
    const world = createFakes();
    const project = projectIn(world);
    world.put('projects', { ...project, settings: { ...project.settings, classes: ['Cat', 'dog'] } });
    expect((await ingest(portsOf(world), await upload(world, `${name}/cat/1.png`, 'one'))).outcome).toBe('unlabelled');
    expect(world.all('uploads')[0]?.reason).toMatchObject({
      code: 'unknown-class',
      detail: expect.stringContaining('Was "Cat" meant?') as string,
    });
  });

  test('of the same bytes is a duplicate, under another label a conflict that waits for a person', async () => {
    const world = createFakes();
    projectIn(world);
    const outcomes: string[] = [];
    for (const blob of ['a/1.png', 'a/2.png', 'b/3.png', '4.png'])
      outcomes.push((await ingest(portsOf(world), await upload(world, `${name}/${blob}`, 'one'))).outcome);
    expect(outcomes).toEqual(['accepted', 'duplicate', 'conflict', 'duplicate']);
    expect(world.all('samples')[0]?.conflicts.map((c) => c.annotation)).toEqual([{ label: 'b' }]);
  });
});
