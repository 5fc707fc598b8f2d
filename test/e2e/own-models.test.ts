/** Models that were trained elsewhere, on a real platform: brought, judged, live. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { type Batch, cancelBatch, getBatch, listBatches, startBatch } from '../../client/batches.ts';
import { createClient, type Client } from '../../client/client.ts';
import { getEndpoint, score } from '../../client/endpoint.ts';
import { getModel, uploadModel } from '../../client/models.ts';
import { getTraining, isOpen, type Training } from '../../client/trainings.ts';
import type { Platform } from '../../local/platform.ts';
import type { Role } from '../../shared/key/document.ts';
import { maxModelBytes } from '../../shared/model/artifact.ts';
import { type Checker, createChecker } from './client.ts';
import { readOperations } from './contract.ts';
import { digitModel, logits } from './digit-model.ts';
import { createDigits, digit, p } from './digits.ts';
import { startWithKeys } from './with-keys.ts';

const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
let folder: string;
let platform: Platform;
let keys: Record<Role, string>;
let api: Checker;
let client: Client;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'darkroom-own-models-'));
  ({ platform, keys } = await startWithKeys(folder));
  const origin = platform.addresses.http ?? '';
  api = createChecker(origin, await readOperations(origin, keys.viewer), keys.operator);
  client = createClient(origin, keys.operator);
}, 180_000);
afterAll(async () => {
  await platform.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const sampleBytes = async (sample: string): Promise<Buffer> =>
  (await api.send('samples-content', { params: { project: p, sample } })).bytes;
const bring = async (onnx: Buffer, query: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  api.send('models-post', { params: { project: p }, body: onnx, query, headers });
const codeOf = ({ status, headers }: { status: number; headers: Headers }) => [status, headers.get('x-ms-error-code')];
async function ended(id: string): Promise<Training> {
  return vi.waitUntil(
    async () => {
      const training = await getTraining(client, p, id);
      return isOpen(training) ? undefined : training;
    },
    { timeout: 60_000, interval: 200 },
  );
}

describe('a model that was trained elsewhere', () => {
  test('is refused before there is anything to judge it on, and what is to be done is said', async () => {
    const onnx = await digitModel(digits);
    const nowhere = await api.send('models-post', { params: { project: 'nowhere' }, body: onnx });
    expect(codeOf(nowhere)).toEqual([404, 'unknown-project']);
    await createDigits(api, { retrain: { onVersion: false }, image: { width: 28, height: 28, channels: 1 } });
    expect(await bring(onnx)).toMatchObject({
      status: 409,
      json: { detail: 'Project digits has no dataset version yet. Upload labelled images first.' },
    });
    const versions = async () =>
      (await api.send('versions-list', { params: { project: p } })).json as { value: unknown[] };
    await vi.waitUntil(async () => (await versions()).value.length > 0, { timeout: 60_000, interval: 300 });
  }, 120_000);

  test('is judged on the test split, goes live, and its lineage says from where and whom it came', async () => {
    const onnx = await digitModel(digits);
    const said = { source: 'https://models.example/means', notes: 'means of 40 pictures', metrics: { accuracy: 0.8 } };
    const received = await uploadModel(client, p, onnx, said);
    const digest = createHash('sha256').update(onnx).digest('hex');
    expect(received).toMatchObject({ digest, sizeBytes: onnx.length, datasetVersion: { number: 1 } });
    const origin = { kind: 'uploaded', by: 'operator', ...said };
    expect(await ended(received.id)).toMatchObject({ state: 'registered', model: 1, origin, requestedBy: 'operator' });
    const model = await getModel(client, p, 1);
    expect(model).toMatchObject({ digest, state: 'approved', lineage: { trainer: 'uploaded', origin } });
    expect(model.metrics).toMatchObject({ accuracy: expect.any(Number) as number });
    await vi.waitUntil(async () => (await getEndpoint(client, p)).body.production?.model === 1, { timeout: 30_000 });
    const answer = await score(client, p, await digit(7, 700), 'image/png');
    expect(answer).toMatchObject({ class: '7', model: { version: 1, digest } });
    const events = (await api.send('events-list', { params: { project: p } })).json as { value: { type: string }[] };
    expect(events.value.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['model.uploaded', 'training.registered']),
    );
  }, 90_000);

  test('is brought as the page on models says, which is the same version here', async () => {
    const page = await readFile(path.join(import.meta.dirname, '../../docs/models.md'), 'utf8');
    const [, commands = ''] = /```sh\n(# any ONNX file[^]*?)```/.exec(page) ?? [];
    const env = { ...process.env, API: `${platform.addresses.http}/api/v1`, KEY: keys.operator };
    const { stdout } = await promisify(execFile)('sh', ['-ec', commands], { cwd: folder, env });
    const { id } = JSON.parse(stdout) as { id: string };
    const origin = { source: 'https://models.example/digits', notes: 'from the lab' };
    expect(await ended(id)).toMatchObject({ state: 'registered', model: 1, origin });
  }, 60_000);

  test('that comes again is the same version', async () => {
    const again = await uploadModel(client, p, await digitModel(digits));
    expect(await ended(again.id)).toMatchObject({ state: 'registered', model: 1 });
  }, 60_000);

  test('that comes again under the same Idempotency-Key is the same training, and another model is refused', async () => {
    const onnx = await digitModel(digits, { name: 'other' });
    const key = { 'idempotency-key': 'bring-1' };
    const [first, second] = [await bring(onnx, {}, key), await bring(onnx, {}, key)];
    expect([first.status, second.json]).toEqual([202, first.json]);
    expect(codeOf(await bring(await digitModel(digits, { name: 'third' }), {}, key))).toEqual([
      409,
      'idempotency-key-reused',
    ]);
    expect(codeOf(await bring(onnx, { notes: 'another one' }, key))).toEqual([409, 'idempotency-key-reused']);
    const { id } = first.json as { id: string };
    expect(first.headers.get('operation-location')).toMatch(new RegExp(`/trainings/${id}$`));
    expect(await ended(id)).toMatchObject({ model: 2 });
  }, 60_000);

  test('may answer the classes in an order of its own', async () => {
    const reversed = digits.toReversed();
    const received = await uploadModel(client, p, await digitModel(reversed), { classes: reversed.map(String) });
    const { model, state } = await ended(received.id);
    expect(state).toBe('registered');
    const { classes, metrics } = await getModel(client, p, model ?? 0);
    expect(classes).toEqual(reversed.map(String));
    const inOurOrder = await getModel(client, p, 1);
    expect(metrics).toMatchObject({ accuracy: z.object({ accuracy: z.number() }).parse(inOurOrder.metrics).accuracy });
  }, 60_000);
});

test('a model may take in another size than those of the project', async () => {
  const [width, channels] = [14, 3] as const;
  const onnx = await digitModel(digits, {}, { side: width, channels });
  const { id } = await uploadModel(client, p, onnx, { image: { width, height: width, channels } });
  const { model, state } = await ended(id);
  expect(state).toBe('registered');
  expect(await getModel(client, p, model ?? 0)).toMatchObject({ image: { width, height: width, channels } });
}, 60_000);

test('a model is taken elsewhere with all it needs, and its example for curl asks for it here', async () => {
  const archive = await api.send('models-export', { params: { project: p, number: '1' } });
  expect(archive.headers.get('content-disposition')).toBe('attachment; filename="digits-model-1.zip"');
  const files = unzipSync(archive.bytes);
  for (const [name, bytes] of Object.entries(files)) await writeFile(path.join(folder, name), bytes);
  const digest = createHash('sha256')
    .update(files['model.onnx'] ?? '')
    .digest('hex');
  expect(await getModel(client, p, 1)).toMatchObject({ digest });
  const env = { ...process.env, API: `${platform.addresses.http}/api/v1`, KEY: keys.viewer };
  const { stdout } = await promisify(execFile)('sh', ['example.sh'], { cwd: folder, env });
  const golden = JSON.parse(await readFile(path.join(folder, 'golden.json'), 'utf8')) as { prediction: object };
  expect(JSON.parse(stdout)).toMatchObject({ ...golden.prediction, model: { version: 1 } });
}, 60_000);

const reading = async (url: string | null): Promise<string> => (await fetch(url ?? '')).text();
const batchEnded = async (id: string): Promise<Batch> =>
  vi.waitUntil(
    async () => {
      const batch = await getBatch(client, p, id);
      return batch.state === 'scoring' ? undefined : batch;
    },
    { timeout: 60_000, interval: 200 },
  );

describe('many pictures in one command', () => {
  test('the test samples of a version, as JSON Lines and as a table', async () => {
    const live = (await getEndpoint(client, p)).body.production?.model;
    const { total, id } = await startBatch(client, p, { version: 'head', split: 'test' });
    const batch = await batchEnded(id);
    expect(batch).toMatchObject({ state: 'succeeded', scored: total, failed: 0, model: { version: live } });
    const lines = (await reading(batch.results?.jsonLines ?? null)).trimEnd().split('\n');
    const read = lines.map((line) => JSON.parse(line) as { picture: string; class: string });
    expect(new Set(read.map(({ picture }) => picture)).size).toBe(total);
    const rows = (await reading(batch.results?.csv ?? null)).trimEnd().split('\r\n');
    expect(rows[0]).toBe('picture,class,0,1,2,3,4,5,6,7,8,9,error');
    expect(rows.slice(1).map((row) => row.split(',').slice(0, 2))).toEqual(read.map((one) => [one.picture, one.class]));
    const scored = await score(client, p, await sampleBytes(read[0]?.picture ?? ''), 'image/png');
    expect(read[0]).toMatchObject(z.object({ class: z.string() }).parse(scored));
  }, 90_000);

  test('the uploads whose names begin so, also those that are no pictures', async () => {
    const { id } = await startBatch(client, p, { uploads: { prefix: '1/' }, model: 1 });
    const batch = await batchEnded(id);
    expect(batch).toMatchObject({ state: 'succeeded', scored: 15, failed: 1, total: null });
    const lines = (await reading(batch.results?.jsonLines ?? null)).trimEnd().split('\n');
    expect(lines.find((line) => line.includes('bad.png'))).toMatch(/"error":"[^"]+/);
  }, 90_000);

  test('as the page on batches says', async () => {
    const page = await readFile(path.join(import.meta.dirname, '../../docs/batches.md'), 'utf8');
    const [, commands = ''] = /```sh\n([^]*?)```/.exec(page) ?? [];
    const env = { ...process.env, API: `${platform.addresses.http}/api/v1`, KEY: keys.operator };
    const { stdout } = await promisify(execFile)('sh', ['-ec', commands], { cwd: folder, env });
    expect(stdout).toMatch(/^\{"picture":"\w+".*\n\{.*\npicture,class,0,1/);
  }, 90_000);

  test('the same request is the same batch; what cannot be asked for is refused', async () => {
    const ask = (body: object, headers: Record<string, string> = {}) =>
      api.send('batches-post', { params: { project: p }, body, headers });
    const key = { 'idempotency-key': 'batch-1' };
    const [first, second] = [await ask({ version: 1 }, key), await ask({ version: 1 }, key)];
    const idOf = ({ json }: { json: unknown }): string => z.object({ id: z.string() }).parse(json).id;
    expect([first.status, idOf(second)]).toEqual([202, idOf(first)]);
    await batchEnded(idOf(first));
    expect(await cancelBatch(client, p, idOf(first))).toMatchObject({ state: 'succeeded' });
    expect(await listBatches(client, p)).toHaveLength(4);
    expect(codeOf(await ask({}))).toEqual([400, 'invalid-body']);
    expect(codeOf(await ask({ version: 99 }))).toEqual([404, 'unknown-version']);
    expect(codeOf(await ask({ version: 1, model: 99 }))).toEqual([404, 'unknown-model']);
    const unknown = await api.send('batches-get', { params: { project: p, batch: 'b123' } });
    expect(codeOf(unknown)).toEqual([404, 'unknown-batch']);
  }, 90_000);
});

describe('what is no model of this project ends', () => {
  const fixture = async (name: string) => readFile(path.join(import.meta.dirname, '../fixtures/models', name));
  const cases: [string, () => Promise<Buffer>, RegExp][] = [
    ['no ONNX file', () => digit(1, 1), /^model\.onnx was refused \(malformed\)/],
    [
      'the input of another size',
      () => fixture('good.onnx'),
      /wrong-input.*expected one float tensor input \[N, 1, 28, 28\]/,
    ],
    ['logits', () => logits(digits), /no-probabilities.*Softmax/],
    ['its weights elsewhere', () => fixture('external-data.onnx'), /external_data=False/],
    ['too few classes', () => digitModel([1, 2]), /wrong-output/],
  ];
  test.each(cases)(
    'with %s',
    async (_what, make, why) => {
      const { id } = await uploadModel(client, p, await make());
      const training = await ended(id);
      expect(training).toMatchObject({ state: 'failed', model: null, failure: { code: 'bad-model' } });
      expect(training.failure?.detail).toMatch(why);
    },
    60_000,
  );
});

test('a request that is none is refused at once', async () => {
  const onnx = await digitModel(digits);
  expect(codeOf(await bring(Buffer.alloc(0)))).toEqual([400, 'empty-model']);
  expect(codeOf(await bring(onnx, { classes: 'a,b' }))).toEqual([400, 'invalid-query']);
  expect(codeOf(await bring(onnx, { classes: '["0","1"]' }))).toEqual([400, 'wrong-classes']);
  expect(codeOf(await bring(onnx, { metrics: '{"accuracy":"good"}' }))).toEqual([400, 'invalid-query']);
  expect(codeOf(await bring(onnx, { version: '99' }))).toEqual([404, 'unknown-version']);
  expect(codeOf(await bring(onnx, {}, { 'content-type': 'multipart/form-data; boundary=x' }))).toEqual([
    415,
    'unsupported-type',
  ]);
  const other = createHash('sha256').update('other').digest('base64');
  expect(codeOf(await bring(onnx, {}, { 'content-digest': `sha-256=:${other}:` }))).toEqual([400, 'digest-mismatch']);
  const asViewer = await api.send('models-post', { params: { project: p }, body: onnx, key: keys.viewer });
  expect(codeOf(asViewer)).toEqual([403, 'forbidden']);
});

test('a model that is announced as larger than the limit is refused before it comes', async () => {
  const headers = { 'x-api-key': keys.operator, 'content-length': maxModelBytes + 1 };
  const url = `${platform.addresses.http}/api/v1/projects/${p}/models`;
  const refused = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers });
    request.on('response', resolve).on('error', reject);
    request.flushHeaders();
  });
  expect([refused.statusCode, refused.headers['x-ms-error-code']]).toEqual([413, 'body-too-large']);
  refused.destroy();
});
