/** Files beside pictures that say what those show, in the order and number in which they may come. */
import { describe, expect, test } from 'vitest';
import type { BlobCreatedEvent } from '../../../shared/delivery/message.ts';
import { RetryLater } from '../../../shared/errors.ts';
import { projectSettings } from '../../../shared/project/settings.ts';
import { ingest, type IngestPorts } from '../../../shared/upload/ingest.ts';
import { createFakes, type Fakes } from '../../simulation/fakes.ts';
import { name } from '../dataset/committing.ts';
import { acceptedImage } from '../image/accepted.ts';

const size = { width: 80, height: 60, channels: 3 } as const;
const cat = { class: 'cat', x: 10, y: 20, width: 30, height: 40 };
const boxes = { boxes: [cat] };
const moved = { boxes: [{ ...cat, x: 11 }] };
const [picture, sidecar] = [`${name}/scene.jpg`, `${name}/scene.jpg.json`];

function detectors(): Fakes {
  const world = createFakes();
  const settings = projectSettings.parse({ task: 'detection', classes: ['cat', 'dog'] });
  world.put('projects', { id: name, pk: 'projects', settings, createdAt: '', updatedAt: '' });
  return world;
}
const portsOf = (world: Fakes): IngestPorts => ({
  ...world.ports,
  inspect: (bytes) =>
    Promise.resolve(
      bytes.toString().startsWith('{')
        ? { ok: false, reason: 'not-an-image', detail: 'no image' }
        : acceptedImage(bytes, size),
    ),
});

async function write(world: Fakes, blob: string, body: string | Buffer | object): Promise<BlobCreatedEvent> {
  const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  await world.ports.blobs.overwrite('uploads', blob, bytes);
  const stored = await world.ports.blobs.get('uploads', blob, { maxBytes: 1e8 });
  const etag = typeof stored === 'object' ? stored.etag : '';
  return {
    ...{ specversion: '1.0', id: `event-${etag}`, source: 'test', type: 'Microsoft.Storage.BlobCreated' },
    ...{ subject: `/blobServices/default/containers/uploads/blobs/${blob}`, data: { url: '', eTag: `"${etag}"` } },
  };
}
/** As the queue does it: what is put off, or dies, comes again. */
async function deliver(world: Fakes, event: BlobCreatedEvent): Promise<string> {
  for (let tries = 0; tries < 5; tries += 1) {
    try {
      return (await ingest(portsOf(world), event)).outcome;
    } catch (error) {
      if (!(error instanceof RetryLater)) throw error;
    }
  }
  return 'put off';
}
const comes = async (world: Fakes, blob: string, body: string | Buffer | object): Promise<string> =>
  deliver(world, await write(world, blob, body));
const samples = (world: Fakes) =>
  world.all('samples').map(({ annotation, source, conflicts }) => ({ annotation, source, conflicts }));
const reasons = (world: Fakes) => world.all('uploads').map(({ reason }) => reason?.code ?? null);
const annotated = [{ annotation: boxes, source: 'metadata', conflicts: [] }];

describe('a file beside a picture', () => {
  test('annotates it, whichever of the two comes first', async () => {
    const [before, after] = [detectors(), detectors()];
    expect(await comes(before, sidecar, boxes)).toBe('accepted');
    expect(reasons(before)).toEqual(['waits-for-picture']);
    expect(await comes(before, picture, 'pixels')).toBe('accepted');
    expect(await comes(after, picture, 'pixels')).toBe('unlabelled');
    expect(await comes(after, sidecar, boxes)).toBe('accepted');
    for (const world of [before, after]) {
      expect(samples(world)).toEqual(annotated);
      expect(reasons(world)).toEqual([null, null]);
      expect(new Set(world.all('uploads').map(({ sample }) => sample))).toEqual(
        new Set(world.all('samples').map(({ id }) => id)),
      );
      expect(world.all('staged').map(({ revision }) => revision)).toEqual([1]);
    }
  });

  test('of no boxes makes a negative picture', async () => {
    const world = detectors();
    await comes(world, sidecar, { boxes: [] });
    await comes(world, picture, 'pixels');
    expect(samples(world)).toEqual([{ ...annotated[0], annotation: { boxes: [] } }]);
  });

  test.each([
    ['the picture', picture, 'pixels', sidecar, boxes],
    ['the sidecar', sidecar, boxes, picture, 'pixels'],
  ] as const)('annotates it wherever the second one dies, when the first was %s', async (_, a, first, b, second) => {
    for (let diesAt = 0; diesAt < 30; diesAt += 1) {
      const world = detectors();
      await comes(world, a, first);
      const event = await write(world, b, second);
      let operations = 0;
      world.before = () => {
        if (operations++ === diesAt) throw new Error('died');
      };
      await ingest(portsOf(world), event).catch(() => undefined);
      world.before = () => undefined;
      await deliver(world, event);
      await deliver(world, event);
      expect(samples(world), `died at ${diesAt}`).toEqual(annotated);
      expect(reasons(world)).toEqual([null, null]);
      expect(world.all('staged').length).toBe(1);
    }
  });

  test('annotates it when the other one is worked off between any two steps of the first', async () => {
    for (const [a, b] of [
      [picture, sidecar],
      [sidecar, picture],
    ] as const) {
      for (let at = 0; at < 15; at += 1) {
        const world = detectors();
        const events = {
          [picture]: await write(world, picture, 'pixels'),
          [sidecar]: await write(world, sidecar, boxes),
        };
        let operations = 0;
        world.before = async () => {
          if (operations++ !== at) return;
          await ingest(portsOf(world), events[b] as BlobCreatedEvent).catch(() => undefined);
        };
        await ingest(portsOf(world), events[a] as BlobCreatedEvent).catch(() => undefined);
        world.before = () => undefined;
        for (const event of [...Object.values(events), ...Object.values(events)])
          expect(await deliver(world, event)).not.toBe('put off');
        const [sample] = samples(world);
        expect(sample, `${a} met at ${at}`).toMatchObject({ annotation: boxes });
        expect(world.all('uploads').map(({ status }) => status)).not.toContain('received');
        expect(reasons(world)).not.toContain('waits-for-picture');
        expect(world.all('staged').length).toBe(1);
      }
    }
  });

  test('that says the same again changes nothing; one that says something else waits for a person', async () => {
    const world = detectors();
    await comes(world, picture, 'pixels');
    await comes(world, sidecar, boxes);
    expect(await comes(world, sidecar, { boxes: [{ ...cat, x: 10.001 }] })).toBe('accepted');
    expect(samples(world)).toEqual(annotated);
    expect(await comes(world, sidecar, moved)).toBe('conflict');
    expect(samples(world)).toMatchObject([{ annotation: boxes, conflicts: [{ annotation: moved }] }]);
    expect(world.all('events').map(({ type }) => type)).toEqual(['upload.conflict']);
  });

  test('that is changed before its picture comes counts as it was last', async () => {
    const world = detectors();
    const first = await write(world, sidecar, moved);
    const second = await write(world, sidecar, boxes);
    world.pass(1);
    expect(await deliver(world, second)).toBe('accepted');
    expect(await deliver(world, first)).toBe('superseded');
    await comes(world, picture, 'pixels');
    expect(samples(world)).toEqual(annotated);
    const again = detectors();
    await comes(again, sidecar, moved);
    again.pass(1);
    await comes(again, sidecar, boxes);
    await comes(again, picture, 'pixels');
    expect(samples(again)).toEqual(annotated);
  });

  test('says nothing of another picture that is written under the same name later', async () => {
    const world = detectors();
    await comes(world, picture, 'pixels');
    await comes(world, sidecar, boxes);
    world.pass(1);
    expect(await comes(world, picture, 'other pixels')).toBe('unlabelled');
    world.pass(1);
    expect(await comes(world, sidecar, moved)).toBe('accepted');
    const kept = world.all('samples').map(({ annotation }) => annotation);
    expect(kept).toHaveLength(2);
    expect(kept).toEqual(expect.arrayContaining([boxes, moved]));
  });

  test('says it of the picture that an earlier upload of the same pixels made a sample', async () => {
    const world = detectors();
    await comes(world, `${name}/first.jpg`, 'pixels');
    expect(await comes(world, picture, 'pixels')).toBe('duplicate');
    expect(await comes(world, sidecar, boxes)).toBe('accepted');
    expect(samples(world)).toEqual(annotated);
  });

  test.each([
    ['no JSON', '{"boxes": [', /no JSON in UTF-8/],
    ['not-a-number', '{"boxes": [{"class": "cat", "x": NaN, "y": 1, "width": 2, "height": 2}]}', /no JSON/],
    ['Latin-1', Buffer.from('{"boxes": [{"class": "k\xe4fer"}]}', 'latin1'), /no JSON in UTF-8/],
    ['a list', '[]', /"file" is no annotation of the task kind detection/],
    ['of a classifier', { label: 'cat' }, /is no annotation/],
    ['without an area', { boxes: [{ ...cat, width: 0 }] }, /file\.boxes\.0\.width.* more than 0/],
    ['of an object annotated twice', { boxes: [cat, cat] }, /is there twice/],
    ['of 2,001 boxes', { boxes: Array.from({ length: 2001 }, (_, x) => ({ ...cat, x })) }, /2000 boxes at most/],
    ['too large', ' '.repeat(512 * 1024 + 1), /larger than 512 KB/],
    ['empty', '', /no JSON/],
    ['nested deeply', '['.repeat(250_000), /no JSON/],
  ])('that is %s is refused with the reason, kept, and told', async (_, body, why) => {
    const world = detectors();
    await comes(world, picture, 'pixels');
    expect(await comes(world, sidecar, body)).toBe('quarantined');
    expect(world.all('uploads').find(({ blob }) => blob === sidecar)?.reason?.detail).toMatch(why);
    expect(world.all('events').map(({ type }) => type)).toEqual(['upload.quarantined']);
    expect(samples(world)).toMatchObject([{ annotation: null }]);
    // once more, as it should be
    expect(await comes(world, sidecar, boxes)).toBe('accepted');
    expect(samples(world)).toEqual(annotated);
  });

  test.each([
    ['unknown-class', { boxes: [{ ...cat, class: 'Cat' }] }],
    ['outside-picture', { boxes: [{ ...cat, x: 79 }] }],
  ])('that cannot be of its picture (%s) leaves it waiting for review', async (code, body) => {
    for (const [first, second] of [
      [picture, sidecar],
      [sidecar, picture],
    ] as const) {
      const world = detectors();
      await comes(world, first, first === sidecar ? body : 'pixels');
      expect(await comes(world, second, second === sidecar ? body : 'pixels')).toBe('unlabelled');
      expect(samples(world)).toEqual([{ annotation: null, source: null, conflicts: [] }]);
      expect(world.all('uploads').find(({ blob }) => blob === sidecar)?.reason?.code).toBe(code);
    }
  });

  test('is read once where its name is written again before it is judged: what was read stands', async () => {
    const world = detectors();
    const event = await write(world, sidecar, boxes);
    let operations = 0;
    world.before = (operation) => {
      if (operation === 'documents.query' && operations++ === 0) throw new Error('died');
    };
    await ingest(portsOf(world), event).catch(() => undefined);
    world.before = () => undefined;
    await write(world, sidecar, moved);
    expect(await deliver(world, event)).toBe('accepted');
    await comes(world, picture, 'pixels');
    expect(samples(world)).toEqual(annotated);
  });
});

test('a classifier takes none: its files of JSON are no pictures, and its pictures cost no look for any', async () => {
  const world = createFakes();
  const settings = projectSettings.parse({});
  world.put('projects', { id: name, pk: 'projects', settings, createdAt: '', updatedAt: '' });
  const asked: string[] = [];
  world.before = (operation) => void asked.push(operation);
  expect(await comes(world, picture, 'pixels')).toBe('unlabelled');
  expect(asked).not.toContain('documents.query');
  expect(await comes(world, sidecar, { label: 'cat' })).toBe('quarantined');
});
