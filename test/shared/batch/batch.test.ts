/** Scoring many pictures: each once, in order, whoever dies, and whoever comes twice. */
import { expect, test } from 'vitest';
import type * as z from 'zod';
import { advanceBatch, type AdvancePorts } from '../../../shared/batch/advance.ts';
import { beginBatch, maxOpen } from '../../../shared/batch/begin.ts';
import { endBatch } from '../../../shared/batch/end.ts';
import { findStuckBatches } from '../../../shared/batch/find-stuck.ts';
import type { BatchDocument } from '../../../shared/batch/document.ts';
import { nextSlice } from '../../../shared/batch/pictures.ts';
import { reconcileBatches } from '../../../shared/batch/reconcile.ts';
import type { batchDue } from '../../../shared/delivery/message.ts';
import { RetryLater } from '../../../shared/errors.ts';
import { newEndpoint } from '../../../shared/endpoint/endpoint.ts';
import type { PreprocessedImage } from '../../../shared/image/decode.ts';
import type { ModelDocument } from '../../../shared/model/document.ts';
import { modelId } from '../../../shared/model/register.ts';
import type { ProjectDocument } from '../../../shared/project/document.ts';
import { projectSettings } from '../../../shared/project/settings.ts';
import { createFakes, type Fakes } from '../../simulation/fakes.ts';

const p = 'digits';
const project: ProjectDocument = { id: p, pk: 'projects', settings: projectSettings.parse({}), createdAt: '' } as never;
const cause = { id: 'asked' };
const pictures = 450;
const nameOf = (i: number): string => `${p}/in/${String(i).padStart(4, '0')}.png`;

async function world(): Promise<{ fakes: Fakes; ports: AdvancePorts }> {
  const fakes = createFakes();
  const model = {
    ...{
      id: modelId(1),
      pk: p,
      number: 1,
      digest: 'd1',
      task: 'classification',
      classes: ['a', 'b'],
      state: 'approved',
    },
    image: { width: 1, height: 1, channels: 1 },
  } as unknown as ModelDocument;
  fakes.put('models', model);
  const production = { model: 1, digest: 'd1', deployment: 'x' };
  fakes.put('endpoints', { ...newEndpoint, id: 'endpoint', pk: p, production });
  for (let i = 0; i < pictures; i++)
    await fakes.ports.blobs.create('uploads', nameOf(i), i % 100 === 7 ? 'no picture' : String(i));
  await fakes.ports.blobs.create('uploads', `${p}/other/x.png`, '1');
  const ports: AdvancePorts = {
    ...fakes.ports,
    preprocess: async (bytes) =>
      bytes.toString() === 'no picture'
        ? { ok: false, reason: 'not-an-image', detail: 'It is no picture.' }
        : ({ ok: true, width: 1, height: 1, tensor: Float32Array.of(Number(bytes.toString())) } as PreprocessedImage),
    infer: async (_digest, _load, images) =>
      images.map(([value = 0]) => ({
        probabilities: { data: value % 2 === 0 ? Float32Array.of(0.75, 0.25) : Float32Array.of(0, 1), dims: [2] },
      })),
  };
  return { fakes, ports };
}

const uploads = { prefix: 'in/' };
const begin = (ports: AdvancePorts, more: object = {}) =>
  beginBatch(ports, project, { id: 'one', uploads, by: 'me', ...more }, cause);
type Due = z.infer<typeof batchDue>;
const next = (fakes: Fakes) =>
  fakes.take({ queue: 'evaluations', until: Number.POSITIVE_INFINITY })?.message as Due | undefined;

/** Delivers until nobody has anything left to do; a delivery that failed is repeated. */
async function deliverAll(fakes: Fakes, ports: AdvancePorts): Promise<void> {
  for (let message = next(fakes); message !== undefined; message = next(fakes))
    for (let tries = 0; tries < 10; tries++)
      if (
        await advanceBatch(ports, message).then(
          () => true,
          () => false,
        )
      )
        break;
}

async function resultsOf({ ports }: Fakes, id: string): Promise<{ lines: string[]; csv: string[] }> {
  const read = async (name: string): Promise<string> => {
    const found = await ports.blobs.get('jobs', `${p}/batches/${id}/${name}`, { maxBytes: 1e8 });
    return found === undefined || found === 'too-large' ? '' : found.body.toString();
  };
  return { lines: (await read('results.jsonl')).trimEnd().split('\n'), csv: (await read('results.csv')).split('\r\n') };
}

function expectWhole({ lines, csv }: { lines: string[]; csv: string[] }): void {
  const read = lines.map((line) => JSON.parse(line) as { picture: string; class: string | null; error: string | null });
  expect(read.map(({ picture }) => picture)).toEqual(Array.from({ length: pictures }, (_, i) => nameOf(i)));
  expect(read[0]).toEqual({
    picture: nameOf(0),
    class: 'a',
    probabilities: { a: 0.75, b: 0.25 },
    error: null,
  });
  expect(read[7]).toMatchObject({ class: null, error: 'It is no picture.' });
  expect(csv.slice(0, 3)).toEqual(['picture,class,a,b,error', `${nameOf(0)},a,0.75,0.25,`, `${nameOf(1)},b,0,1,`]);
  expect(csv.length).toBe(pictures + 2);
}

test('every picture of a prefix has one line, in order, and a row of the table', async () => {
  const { fakes, ports } = await world();
  const { document } = await begin(ports);
  await deliverAll(fakes, ports);
  expectWhole(await resultsOf(fakes, document.id));
  const ended = await fakes.read('batches', p, document.id);
  expect(ended).toMatchObject({ state: 'succeeded', scored: pictures - 5, failed: 5, parts: 3 });
  expect(fakes.all('events').map(({ type }) => type)).toEqual(['batch.succeeded']);
});

test('a file that no request can name fails alone, and says why', async () => {
  const { fakes, ports } = await world();
  await fakes.ports.blobs.create('uploads', `${p}/odd/../in/0000.png`, '1');
  const { document } = await begin(ports, { uploads: { prefix: 'odd/' } });
  await deliverAll(fakes, ports);
  const { lines } = await resultsOf(fakes, document.id);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { class: null, error: expect.stringContaining('another file') },
  ]);
});

test('a model that cannot be read now fails no picture: the batch waits for it', async () => {
  const { fakes, ports } = await world();
  await fakes.ports.blobs.create('models', `${p}/d1.onnx`, 'bytes');
  const loading: AdvancePorts = {
    ...ports,
    infer: async (digest, load, images, ends) => {
      await load();
      return ports.infer(digest, load, images, ends);
    },
  };
  const { document } = await begin(loading);
  const message = next(fakes) as Due;
  fakes.before = (operation, target) => {
    if (operation === 'blobs.get' && target.endsWith('d1.onnx')) throw new Error('read 1 of 5 bytes');
  };
  await expect(advanceBatch(loading, message)).rejects.toThrow(RetryLater);
  fakes.before = () => undefined;
  await advanceBatch(loading, message);
  expectWhole(await resultsOf(fakes, document.id));
});

test('nothing is lost or doubled, whichever operation is the last one of a process', async () => {
  const count = async (killAt: number): Promise<number> => {
    const { fakes, ports } = await world();
    const { document } = await begin(ports);
    let operations = 0;
    fakes.before = (operation, target) => {
      // pictures are read by the hundred, and a read changes nothing
      if (operation === 'blobs.get' && target.startsWith('uploads/')) return;
      if (++operations === killAt) throw new Error('killed');
    };
    await deliverAll(fakes, ports);
    fakes.before = () => undefined;
    expectWhole(await resultsOf(fakes, document.id));
    expect(await fakes.read('batches', p, document.id)).toMatchObject({ state: 'succeeded', scored: pictures - 5 });
    expect(fakes.all('events').length).toBe(1);
    return operations;
  };
  const operations = await count(0);
  expect(operations).toBeGreaterThan(20);
  for (let killAt = 1; killAt <= operations; killAt++) await count(killAt);
}, 60_000);

test('two deliveries at once make one result', async () => {
  const { fakes, ports } = await world();
  const { document } = await begin(ports);
  const message = next(fakes) as Due;
  await Promise.all([advanceBatch(ports, message), advanceBatch(ports, message)]);
  expectWhole(await resultsOf(fakes, document.id));
});

test('a delivery whose time is up hands on, and the next goes on where it stopped', async () => {
  const { fakes, ports } = await world();
  const { document } = await begin(ports);
  fakes.before = (operation) => (operation === 'blobs.create' ? fakes.pass(200) : undefined);
  expect(await advanceBatch(ports, next(fakes) as Due)).toEqual({ outcome: 'continued' });
  expect(await fakes.read('batches', p, document.id)).toMatchObject({ state: 'scoring', parts: 1, scored: 198 });
  await deliverAll(fakes, ports);
  expectWhole(await resultsOf(fakes, document.id));
});

test('a batch whose message is lost is woken by the sweep', async () => {
  const { fakes, ports } = await world();
  const { document } = await begin(ports);
  next(fakes);
  await reconcileBatches(ports, p, { id: 'sweep-1' });
  expect(fakes.sent).toEqual([]);
  fakes.pass(800);
  await reconcileBatches(ports, p, { id: 'sweep-2' });
  await deliverAll(fakes, ports);
  expectWhole(await resultsOf(fakes, document.id));
});

test('so is one that many others came after', async () => {
  const { fakes, ports } = await world();
  const { document } = await begin(ports);
  fakes.sent.length = 0;
  for (let i = 0; i < 30; i++) {
    fakes.pass(1);
    const { id } = (await begin(ports, { id: `later-${i}` })).document;
    await endBatch(ports, p, id, { state: 'cancelled', by: 'me' }, cause);
  }
  fakes.sent.length = 0;
  fakes.pass(800);
  await reconcileBatches(ports, p, { id: 'sweep-1' });
  await deliverAll(fakes, ports);
  expectWhole(await resultsOf(fakes, document.id));
});

test('one that stands still though the sweep has come is told as stuck, with what mends it', async () => {
  const { fakes, ports } = await world();
  const { document } = await begin(ports);
  fakes.pass(1700);
  expect(await findStuckBatches(ports, p)).toEqual([]);
  fakes.pass(200);
  const remedy = 'POST /api/v1/projects/digits/sweep';
  expect(await findStuckBatches(ports, p)).toMatchObject([{ kind: 'batch', id: document.id, remedy }]);
  await deliverAll(fakes, ports);
  expect(await findStuckBatches(ports, p)).toEqual([]);
});

test('one that is cancelled stays so, and is not scored any further', async () => {
  const { fakes, ports } = await world();
  const { document } = await begin(ports);
  await endBatch(ports, p, document.id, { state: 'cancelled', by: 'me' }, cause);
  expect(await advanceBatch(ports, next(fakes) as Due)).toEqual({ outcome: 'cancelled' });
  expect((await endBatch(ports, p, document.id, { state: 'succeeded' }, cause)).document.state).toBe('cancelled');
});

test('the same request is the same batch, with the model that was live then', async () => {
  const { fakes, ports } = await world();
  const first = await begin(ports);
  fakes.put('endpoints', { ...newEndpoint, id: 'endpoint', pk: p, production: null });
  expect((await begin(ports)).document).toEqual(first.document);
  expect(first.document.model).toEqual({ number: 1, digest: 'd1' });
  await expect(begin(ports, { id: 'two' })).rejects.toMatchObject({ code: 'no-live-model' });
  await expect(begin(ports, { id: 'two', model: 9 })).rejects.toMatchObject({ code: 'unknown-model' });
  const version = { uploads: undefined, version: 'head', model: 1 };
  await expect(begin(ports, { id: 'two', ...version })).rejects.toMatchObject({ code: 'no-version' });
});

test('a project has so many batches at work and no more', async () => {
  const { ports } = await world();
  for (let i = 0; i < maxOpen; i++) await begin(ports, { id: String(i) });
  await expect(begin(ports, { id: 'more' })).rejects.toMatchObject({ code: 'too-many-batches' });
});

test('a file beside a picture is no picture of a kind that has such files', async () => {
  const { blobs } = createFakes().ports;
  for (const name of ['a.jpg', 'a.jpg.json', 'b.jpg']) await blobs.create('uploads', `${p}/${name}`, '1');
  const of = { kind: 'uploads', prefix: '' } as const;
  const found = async (task: string) =>
    (await nextSlice(blobs, { pk: p, task, of, cursor: null } as BatchDocument)).pictures.map(({ picture }) => picture);
  expect(await found('detection')).toEqual([`${p}/a.jpg`, `${p}/b.jpg`]);
  expect(await found('classification')).toHaveLength(3);
});
