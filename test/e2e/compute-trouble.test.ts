/** Over HTTP: what somebody sees of a training that Azure refuses, of one whose machine takes its time, and of one elsewhere. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import * as z from 'zod';
import type { Trouble } from '../../local/container-apps/trouble.ts';
import { type Client, createClient } from '../../client/client.ts';
import { readDigits } from '../../local/demo/digits.ts';
import { createNarrator } from '../../local/demo/narrator.ts';
import { upload } from '../../local/demo/upload.ts';
import { createKey } from '../../local/first-key.ts';
import type { Platform } from '../../local/platform.ts';
import { projectStatusView } from '../../shared/api/views/project.ts';
import { trainingView } from '../../shared/api/views/training.ts';
import { startApp } from '../platform.ts';

const project = '/projects/digits';
const troubles: Trouble[] = [];
let folder: string;
let platform: Platform;
let client: Client;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'darkroom-compute-'));
  platform = await startApp({
    dataDir: folder,
    computeTroubles: troubles,
  });
  client = createClient(platform.addresses.http ?? '', await createKey(platform.settings, 'test'));
  const settings = { trainer: { name: 'softmax' }, retrain: { onVersion: false }, commit: { quietSeconds: 3 } };
  await client.send('PUT', project, settings, z.unknown());
  const quiet = createNarrator(new Writable({ write: (_chunk, _encoding, done) => done() }) as NodeJS.WriteStream);
  await upload(client, quiet, 'digits', (await readDigits()).first.slice(0, 40));
  const head = async () => (await client.get(project, projectStatusView)).body.head?.samples ?? 0;
  await vi.waitUntil(async () => (await head()) > 20, { timeout: 30_000, interval: 200 });
}, 90_000);
afterAll(async () => {
  await platform?.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

async function trainWith(...next: Trouble[]) {
  troubles.push(...next);
  const { id } = await client.send('POST', `${project}/trainings`, {}, z.looseObject({ id: z.string() }));
  return async () => (await client.get(`${project}/trainings/${id}`, trainingView)).body;
}

test('a training that lacks something fails with its reason and what to do', async () => {
  const seen = await trainWith({
    kind: 'refused',
    status: 409,
    code: 'MissingSubscriptionRegistration',
    message: "The subscription is not registered to use namespace 'Microsoft.App'.",
  });
  await expect.poll(async () => (await seen()).state, { timeout: 10_000 }).toBe('failed');
  const { failure, attempts } = await seen();
  expect(failure).toMatchObject({ code: 'provider-not-registered', retryable: false });
  expect(failure?.detail).toContain('az provider register --namespace Microsoft.App --wait');
  expect(attempts).toHaveLength(1);
});

test('a training without quota waits with its reason, and is cancelled like any other', async () => {
  const quota: Trouble = { kind: 'refused', status: 400, code: 'QuotaExceeded', message: 'GPU cores' };
  const seen = await trainWith(quota, quota, quota, quota);
  await expect.poll(async () => (await seen()).failure?.code, { timeout: 10_000 }).toBe('compute-quota');
  const { id, state } = await seen();
  expect(state).toBe('queued');
  await client.send('POST', `${project}/trainings/${id}/cancel`, undefined, trainingView);
  await expect.poll(async () => (await seen()).state, { timeout: 10_000 }).toBe('cancelled');
  troubles.splice(0);
});

test('a training whose machine is provisioned slowly trains', async () => {
  const seen = await trainWith({ kind: 'slow', polls: 2 });
  await expect
    .poll(async () => (await seen()).state, { timeout: 40_000, interval: 300 })
    .toBeOneOf(['registered', 'rejected']);
  expect((await seen()).attempts).toEqual([]);
});

test('a training on Azure Machine Learning trains, and links to the page of its log', async () => {
  const head = await client.get(project, projectStatusView);
  const trainer = { name: 'softmax', compute: 'azure-ml' };
  await client.send('PATCH', project, { trainer }, z.unknown(), { 'if-match': head.etag ?? '' });
  const seen = await trainWith();
  await expect
    .poll(async () => (await seen()).state, { timeout: 40_000, interval: 300 })
    .toBeOneOf(['registered', 'rejected']);
  const { attempts, logsUrl, trainer: used } = await seen();
  expect([attempts, used.compute]).toEqual([[], 'azure-ml']);
  expect((await fetch(logsUrl ?? '')).status).toBe(200);
});
