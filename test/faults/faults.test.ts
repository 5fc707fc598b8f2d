/** The whole platform behind proxies that break its connections: what callers are told, and that nothing is lost or doubled. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FunctionsHost } from '../../local/functions-host/host.ts';
import { type FaultyPlatform, type ServiceName, startFaultyPlatform } from './platform.ts';
import { runRound } from './round.ts';

let platform: FaultyPlatform;
let host: FunctionsHost;
let key: string;

beforeAll(async () => {
  platform = await startFaultyPlatform(await mkdtemp(path.join(tmpdir(), 'darkroom-faults-')), 3);
  host = await platform.startHost();
  key = await platform.createKey();
}, 120_000);
afterAll(async () => {
  await host?.close();
  await platform?.close();
  await rm(platform?.dataDir ?? '', { recursive: true, force: true });
}, 60_000);

const request = (method: string, route: string, body?: object): Promise<Response> =>
  fetch(`http://127.0.0.1:${host.port}/api/v1${route}`, {
    method,
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

test('people are told which service is away and when to come back, and find everything as it was', async () => {
  const project = '/projects/outage';
  expect((await request('PUT', project, {})).status).toBe(201);
  const away = async (service: ServiceName, route: string): Promise<void> => {
    platform.faults[service].set({ unavailable: 1 });
    const response = await request('GET', route);
    platform.faults[service].set({});
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const { detail } = (await response.json()) as { detail: string };
    expect(detail).toMatch(/^The document store did not answer \(.*\); it is tried again\. Send the request again\.$/);
  };
  await away('documents', project);
  await away('documents', `${project}/uploads`);
  expect((await request('GET', project)).status).toBe(200);
}, 60_000);

test('a project lives through faults of every service: nothing is lost, nothing doubled', async () => {
  const report = await runRound({ platform, host, key, seed: 3, files: 45, seconds: 5 });
  expect(report.violations).toEqual([]);
  expect(report.uploads).toBeGreaterThan(44);
  expect(Object.values(report.struck).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(20);
}, 280_000);
