/** Every route of the HTTP API, called on a real platform and held against the OpenAPI document that it serves. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ServiceBusClient } from '@azure/service-bus';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import type { Platform } from '../../local/platform.ts';
import { keyId } from '../../shared/key/secret.ts';
import { madeKeyView } from '../../shared/api/views/key.ts';
import { endpointView } from '../../shared/api/views/endpoint.ts';
import { projectStatusView } from '../../shared/api/views/project.ts';
import type { Role } from '../../shared/key/document.ts';
import { type Checker, createChecker, type Sent } from './client.ts';
import { type Operation, readOperations } from './contract.ts';
import { createDigits, digit, p, urls } from './digits.ts';
import { startWithKeys } from './with-keys.ts';

let folder: string;
let platform: Platform;
let operations: Operation[];
let api: Checker;
let keys: Record<Role, string>;
let someImage: Buffer;

const champion = async (): Promise<number | undefined> =>
  endpointView.parse((await api.send('endpoint-get', { params: { project: p } })).json).production?.model;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'darkroom-api-'));
  ({ platform, keys } = await startWithKeys(folder));
  const origin = platform.addresses.http ?? '';
  operations = await readOperations(origin, keys.viewer);
  api = createChecker(origin, operations, keys.operator);
  someImage = await digit(4, 900);
  await createDigits(api);
  await vi.waitUntil(async () => (await champion()) === 1, { timeout: 90_000, interval: 300 });
}, 180_000);
afterAll(async () => {
  await platform?.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const listShape = z.object({ value: z.array(z.record(z.string(), z.unknown())), nextLink: z.string().optional() });
const listOf = async (operationId: string, sent: Sent = {}) =>
  listShape.parse((await api.send(operationId, sent)).json).value;

describe('every answer is what the OpenAPI document promises', () => {
  test('projects, with how much there is of everything', async () => {
    expect((await listOf('projects-list')).map(({ name }) => name)).toEqual([p]);
    const status = await api.send('projects-get', { params: { project: p } });
    expect(status.headers.get('etag')).toBeTruthy();
    const { counts, head } = projectStatusView.parse(status.json);
    expect(counts.uploads).toMatchObject({ received: 0, accepted: 150, unlabelled: 1, conflict: 1, quarantined: 1 });
    expect(counts).toMatchObject({ samples: 151, versions: 1, models: 1 });
    expect(head?.samples).toBe(150);
    const body = { ...projectStatusView.parse(status.json).settings, retrain: { onVersion: false } };
    expect((await api.send('projects-put', { params: { project: p }, body })).status).toBe(428);
    const stale = await api.send('projects-put', { params: { project: p }, body, headers: { 'if-match': '"old"' } });
    expect(stale.status).toBe(412);
    const headers = { 'if-match': status.headers.get('etag') ?? '' };
    expect((await api.send('projects-put', { params: { project: p }, body, headers })).status).toBe(200);
    const patch = { body: { gate: { minimum: 0.3 } }, headers: { 'content-type': 'application/merge-patch+json' } };
    const patched = await api.send('projects-patch', { params: { project: p }, ...patch });
    expect(patched.json).toMatchObject({ settings: { retrain: { onVersion: false }, gate: { minimum: 0.3 } } });
    const created = await api.send('projects-put', { params: { project: 'second' }, body: {}, headers });
    expect(created.status).toBe(412);
  });

  test('a project is put again without If-Match when nothing would change, as after a lost answer', async () => {
    const put = (headers: Record<string, string> = {}) =>
      api.send('projects-put', {
        params: { project: 'third' },
        body: { gate: { minimum: 0.7 }, classes: [] },
        headers,
      });
    const both = await Promise.all([put(), put()]);
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 201]));
    const again = await put();
    expect([again.status, again.json]).toEqual([200, both[0]?.json]);
    expect(again.headers.get('etag')).toBe(both[0]?.headers.get('etag'));
    expect((await put({ 'if-match': again.headers.get('etag') ?? '' })).headers.get('etag')).toBe(
      again.headers.get('etag'),
    );
    // what was a change when it was sent first comes with an older etag
    expect((await put({ 'if-match': '"old"' })).status).toBe(200);
  });

  test('uploads by outcome and by blob', async () => {
    const [bad] = await listOf('uploads-list', { params: { project: p }, query: { outcome: 'quarantined' } });
    expect(bad).toMatchObject({ blob: 'digits/1/bad.png', reason: { code: 'not-an-image' } });
    const [one] = await listOf('uploads-list', { params: { project: p }, query: { blob: 'digits/3/d3.png' } });
    const found = await api.send('uploads-get', { params: { project: p, upload: String(one?.['id']) } });
    expect(found.json).toMatchObject({ outcome: 'accepted', firstVersion: 1 });
    expect(found.headers.get('etag')).toBeTruthy();
    expect((await api.send('uploads-get', { params: { project: p, upload: 'nope' } })).status).toBe(404);
  });

  test('an upload address creates one blob once; it neither reads, lists, deletes nor reaches another', async () => {
    const files = [{ name: 'once.png', label: '3', contentType: 'image/png' }];
    const [given] = urls.parse(
      (await api.send('upload-urls-post', { params: { project: p }, body: { files } })).json,
    ).value;
    const { url, headers } = given ?? { url: '', headers: {} };
    const put = (address: string) => fetch(address, { method: 'PUT', headers, body: new Uint8Array(someImage) });
    expect((await put(url.replace('once.png', 'twice.png'))).status).toBe(403);
    expect((await put(url)).status).toBe(201);
    const again = await put(url);
    expect([again.status, again.headers.get('x-ms-error-code')]).toEqual([403, 'UnauthorizedBlobOverwrite']);
    expect((await fetch(url)).status).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    const container = url.replace(/\/digits\/3\/once\.png\?/, '?restype=container&comp=list&');
    expect((await fetch(container)).status).toBe(403);
  });

  test('samples: browse, bytes, a label by review', async () => {
    const [unlabelled] = await listOf('samples-list', { params: { project: p }, query: { unlabelled: 'true' } });
    const id = String(unlabelled?.['id']);
    const sample = await api.send('samples-get', { params: { project: p, sample: id } });
    const bytes = await api.send('samples-content', { params: { project: p, sample: id } });
    const near = await api.send('near-duplicates-list', { params: { project: p }, query: { limit: '10' } });
    expect((near.json as { compared: number }).compared).toBeGreaterThan(100);
    expect((await sharp(bytes.bytes).metadata()).width).toBe(28);
    const label = (body: unknown, ifMatch: string) =>
      api.send('samples-label', {
        params: { project: p, sample: id },
        body,
        headers: { 'if-match': ifMatch },
        key: keys.labeler,
      });
    expect((await label({ label: '7' }, '"old"')).status).toBe(412);
    const labelled = await label({ label: '7' }, sample.headers.get('etag') ?? '');
    expect(labelled.json).toMatchObject({ label: '7', labelSource: 'review' });
    // whose answer was lost sends the same again, with the etag from before
    expect((await label({ label: '7' }, sample.headers.get('etag') ?? '')).json).toEqual(labelled.json);
    expect((await api.send('commits-post', { params: { project: p } })).status).toBe(202);
    const head = async () =>
      projectStatusView.parse((await api.send('projects-get', { params: { project: p } })).json).head;
    await expect.poll(async () => (await head())?.number, { timeout: 30_000 }).toBe(2);
  });

  test('versions: history, entries, difference, DVC pointer', async () => {
    expect((await listOf('versions-list', { params: { project: p } })).map(({ number }) => number)).toEqual([2, 1]);
    const head = await api.send('versions-get', { params: { project: p, version: 'head' } });
    const id = z.object({ id: z.string() }).parse(head.json).id;
    expect((await api.send('versions-get', { params: { project: p, version: id } })).json).toEqual(head.json);
    const entries = await listOf('versions-samples', {
      params: { project: p, version: '1' },
      query: { limit: '1000' },
    });
    expect(entries).toHaveLength(150);
    const diff = await api.send('versions-diff', { params: { project: p, from: '1', to: '2' } });
    expect(diff.json).toMatchObject({ counts: { removed: 0, relabelled: 0 } });
    const dvc = await api.send('versions-dvc', { params: { project: p, version: '1' } });
    const again = await api.send('versions-dvc', { params: { project: p, version: 'head' } });
    expect(again.headers.get('etag')).toBe(`"${id}"`);
    expect((await api.send('versions-dvc', { params: { project: p, version: '1' } })).bytes).toEqual(dvc.bytes);
    expect(dvc.bytes.toString()).toMatch(/md5: [0-9a-f]{32}\.dir[\s\S]*nfiles: 150[\s\S]*hash: md5/);
    expect((await api.send('versions-get', { params: { project: p, version: '99' } })).status).toBe(404);
  });

  test('trainings: start, repeat with the same key, follow, cancel', async () => {
    const headers = { 'idempotency-key': 'ask-1' };
    const ask = (body: unknown) => api.send('trainings-post', { params: { project: p }, body, headers });
    const started = await ask({ seed: 5, reason: 'another seed' });
    expect(started.status).toBe(202);
    expect(started.headers.get('retry-after')).toBeTruthy();
    const { id } = z.looseObject({ id: z.string() }).parse(started.json);
    expect(z.looseObject({ id: z.string() }).parse((await ask({ seed: 5, reason: 'another seed' })).json).id).toBe(id);
    const other = await ask({ seed: 6 });
    expect([other.status, other.headers.get('x-ms-error-code')]).toEqual([409, 'idempotency-key-reused']);
    const states = ['registered', 'rejected'];
    const state = async () =>
      String((await api.send('trainings-get', { params: { project: p, training: id } })).json?.['state' as never]);
    await expect.poll(state, { timeout: 60_000, interval: 300 }).toBeOneOf(states);
    expect((await listOf('trainings-list', { params: { project: p } })).map((one) => one['id'])).toContain(id);
    expect((await api.send('trainings-cancel', { params: { project: p, training: id } })).status).toBe(409);
    const next = await api.send('trainings-post', { params: { project: p }, body: { seed: 9 } });
    const cancelled = await api.send('trainings-cancel', {
      params: { project: p, training: z.looseObject({ id: z.string() }).parse(next.json).id },
    });
    expect(cancelled.status).toBe(202);
  });

  test('models: registry, artifact, lineage, the manual gate', async () => {
    await expect.poll(champion, { timeout: 30_000, interval: 300 }).toBe(2);
    expect((await listOf('models-list', { params: { project: p } })).map(({ version }) => version)).toEqual([2, 1]);
    const model = await api.send('models-get', { params: { project: p, number: '1' } });
    expect((await api.send('models-artifact', { params: { project: p, number: '1' } })).bytes.length).toBeGreaterThan(
      1000,
    );
    const lineage = await api.send('models-lineage', { params: { project: p, number: '1' } });
    expect(lineage.json).toMatchObject({ datasetVersion: { number: 1 }, training: { seed: 1 } });
    expect(lineage.json).toMatchObject({
      model: { lineage: { code: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) } },
    });
    expect(lineage.json).toMatchObject({
      samples: expect.arrayContaining([expect.objectContaining({ labelSource: 'path' })]),
    });
    const decide = (operationId: string, ifMatch?: string) =>
      api.send(operationId, {
        params: { project: p, number: '1' },
        headers: ifMatch === undefined ? {} : { 'if-match': ifMatch },
      });
    expect((await decide('models-reject')).status).toBe(428);
    const rejected = await decide('models-reject', model.headers.get('etag') ?? '');
    expect(rejected.json).toMatchObject({ state: 'rejected' });
    const refused = await api.send('endpoint-deploy', { params: { project: p }, body: { model: 1 } });
    expect([refused.status, refused.headers.get('x-ms-error-code')]).toEqual([409, 'model-not-approved']);
    const approved = await decide('models-approve', rejected.headers.get('etag') ?? '');
    expect(approved.json).toMatchObject({ state: 'approved' });
  });

  test('endpoint: approving deploys, rolling back returns, deploying needs a current view', async () => {
    await expect.poll(champion, { timeout: 30_000, interval: 300 }).toBe(1);
    const seen = await api.send('endpoint-get', { params: { project: p } });
    const etag = seen.headers.get('etag') ?? '';
    expect((await api.send('endpoint-rollback', { params: { project: p }, body: {} })).status).toBe(428);
    const blind = await api.send('endpoint-rollback', {
      params: { project: p },
      body: {},
      headers: { 'if-match': '*' },
    });
    expect([blind.status, blind.headers.get('x-ms-error-code')]).toEqual([400, 'idempotency-key-required']);
    const headers = { 'if-match': etag, 'idempotency-key': 'back' };
    const back = await api.send('endpoint-rollback', { params: { project: p }, body: {}, headers });
    expect(back.json).toMatchObject({ production: { model: 2 } });
    const again = await api.send('endpoint-rollback', { params: { project: p }, body: {}, headers });
    expect(again.json).toMatchObject({ production: { model: 2 } });
    const deploy = (ifMatch: string) =>
      api.send('endpoint-deploy', { params: { project: p }, body: { model: 1 }, headers: { 'if-match': ifMatch } });
    expect((await deploy(etag)).status).toBe(412);
    expect((await deploy(again.headers.get('etag') ?? '')).status).toBe(202);
    await expect.poll(champion, { timeout: 30_000, interval: 300 }).toBe(1);
  });

  test('scores, and each leads back to its scans', async () => {
    const headers = { 'content-type': 'image/png' };
    const pinned = await api.send('score-post', {
      params: { project: p },
      query: { model: '2' },
      body: someImage,
      headers,
    });
    expect(pinned.json).toMatchObject({ model: { version: 2 }, datasetVersion: { number: 2 } });
    const { predictionId: id } = z.looseObject({ predictionId: z.string() }).parse(pinned.json);
    const traced = await api.send('predictions-get', { params: { project: p, prediction: id } });
    expect(traced.headers.get('etag')).toBeTruthy();
    expect(traced.json).toMatchObject({ lineage: { datasetVersion: { number: 2 }, training: { seed: 5 } } });
    const text = Buffer.from('no image');
    expect((await api.send('score-post', { params: { project: p }, body: text, headers })).status).toBe(415);
    expect(
      (await api.send('score-post', { params: { project: p }, body: someImage.subarray(0, 90), headers })).status,
    ).toBe(400);
    expect((await api.send('score-post', { params: { project: 'nowhere' }, body: someImage, headers })).status).toBe(
      404,
    );
  });

  test('activity, dead letters, health, the document itself', async () => {
    const events = await listOf('events-list', { params: { project: p } });
    expect(events.length).toBeGreaterThan(4);
    const oldest = String(events.at(-1)?.['at']);
    const newer = await listOf('events-list', { params: { project: p }, query: { after: oldest } });
    expect(newer.length).toBe(events.filter(({ at }) => String(at) > oldest).length);
    expect(await listOf('dead-letters-list')).toEqual([]);
    expect((await api.send('dead-letters-replay', { params: { queue: 'evaluations' }, body: {} })).json).toEqual({
      ...{ replayed: 0, refusedCount: 0, refused: [], more: false },
    });
    expect((await api.send('dead-letters-replay', { params: { queue: 'nope' }, body: {} })).status).toBe(404);
    const client = new ServiceBusClient(platform.settings['SERVICEBUS'] ?? '');
    await client.createSender('evaluations').sendMessages({ body: 'nonsense' });
    await client.close();
    await expect.poll(() => listOf('dead-letters-list'), { timeout: 10_000 }).toHaveLength(1);
    const dismiss = async (id: unknown) =>
      (await api.send('dead-letters-dismiss', { params: { queue: 'evaluations' }, body: { id, reason: 'nonsense' } }))
        .status;
    expect(await dismiss((await listOf('dead-letters-list'))[0]?.['id'])).toBe(200);
    expect(await dismiss('none')).toBe(404);
    expect(await listOf('dead-letters-list')).toEqual([]);
    expect((await api.send('health-live', { key: null })).status).toBe(200);
    expect((await api.send('health-ready')).json).toMatchObject({
      status: 'ready',
      dependencies: { documents: { ok: true }, blobs: { ok: true }, messages: { ok: true }, compute: { ok: true } },
    });
    for (const id of ['openapi', 'openapi-v1']) expect((await api.send(id)).json).toMatchObject({ openapi: '3.1.0' });
  });

  test('keys: made, listed, named, rotated, revoked', async () => {
    const made = await api.send('keys-post', { body: { name: 'guest', role: 'viewer', project: p } });
    expect(made.status).toBe(201);
    const { id, key } = madeKeyView.parse(made.json);
    expect((await api.send('projects-get', { params: { project: p }, key })).status).toBe(200);
    const names = (await listOf('keys-list')).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['guest', 'labeler', 'operator', 'viewer']));
    expect((await listOf('keys-list', { query: { project: p, limit: '1' } })).map((one) => one['id'])).toEqual([id]);
    const named = await api.send('keys-patch', { params: { key: id }, body: { name: 'camera' } });
    expect(named.json).toMatchObject({ name: 'camera', project: p });
    const rotated = madeKeyView.parse((await api.send('keys-rotate', { params: { key: id }, body: {} })).json);
    expect((await api.send('keys-get', { params: { key: id } })).json).toMatchObject({ replacedBy: rotated.id });
    expect((await api.send('keys-delete', { params: { key: rotated.id } })).status).toBe(200);
    expect((await api.send('projects-list', { key: rotated.key })).status).toBe(401);
    const day = new Date().toISOString().slice(0, 10);
    const used = async () => z.looseObject({}).parse((await api.send('keys-get', { params: { key: id } })).json);
    await expect.poll(used).toMatchObject({ lastUsedOn: day });
  });

  test('create-key makes, lists, rotates and revokes keys of a platform whose settings it has', async () => {
    const env = { PATH: process.env['PATH'], ...platform.settings };
    const run = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)(process.execPath, ['cli/create-key.ts', ...args], { env })).stdout.trim();
    const made = await run('--name', 'scanner 3', '--role', 'viewer', '--project', p, '--days', '1');
    const rotated = await run('--rotate', keyId(made) ?? '', '--overlap-seconds', '0');
    expect((await api.send('projects-get', { params: { project: p }, key: made })).status).toBe(401);
    expect((await api.send('projects-get', { params: { project: p }, key: rotated })).status).toBe(200);
    const list = (await run('--list')).split('\n').filter((line) => line.startsWith('scanner 3'));
    expect(list).toHaveLength(2);
    expect(list.join('\n')).toMatch(new RegExp(`viewer +digits .*${keyId(rotated)}[^]*expired +${keyId(made)}`));
    expect(await run('--revoke', keyId(rotated) ?? '')).toMatch(/^Revoked/);
    expect((await api.send('keys-delete', { params: { key: keyId(rotated) ?? '' } })).status).toBe(404);
  });

  test('nothing is stuck, and what is stored is what its digests say', async () => {
    expect((await api.send('stuck-list', { params: { project: p } })).json).toEqual({ value: [] });
    expect((await api.send('sweep-post', { params: { project: p } })).json).toEqual({ problems: [] });
    const samples = await listOf('samples-list', { params: { project: p }, query: { limit: '1000' } });
    const scrubbed = await api.send('scrub-post', { params: { project: p }, body: { limit: 10_000 } });
    expect(scrubbed.json).toMatchObject({ samples: samples.length, found: [], next: null });
    expect(scrubbed.json).not.toMatchObject({ models: 0 });
    expect((await api.send('scrub-post', { params: { project: p }, body: { from: 'zz' } })).status).toBe(400);
  });

  test('following nextLink gives every item once', async () => {
    for (const [operationId, limit] of [
      ['uploads-list', '40'],
      ['samples-list', '40'],
      ['versions-list', '1'],
      ['trainings-list', '2'],
      ['models-list', '1'],
      ['events-list', '3'],
    ] as const) {
      const all = await listOf(operationId, { params: { project: p }, query: { limit: '1000' } });
      const paged: unknown[] = [];
      let next = listShape.parse((await api.send(operationId, { params: { project: p }, query: { limit } })).json);
      for (let pages = 0; pages < 100; pages++) {
        paged.push(...next.value);
        if (next.nextLink === undefined) break;
        const response = await fetch(new URL(next.nextLink, platform.addresses.http), {
          headers: { 'x-api-key': keys.viewer },
        });
        next = listShape.parse(await response.json());
      }
      expect(paged, operationId).toEqual(all);
    }
  });

  test('no operation was left out', () => {
    for (const { operationId } of operations) {
      const statuses = [...(api.reached.get(operationId) ?? [])];
      expect(
        statuses.some((status) => status < 300),
        operationId,
      ).toBe(true);
    }
  });
});
