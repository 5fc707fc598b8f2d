/** The local services serve their owner: who has no credential of this very platform, or comes by another name, gets nothing. */
import { readFile, stat } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { account } from '../../local/blob/event.ts';
import { emulatorKey } from '../../local/cosmos/authorization.ts';
import type { Platform } from '../../local/platform.ts';
import { trainerJob } from '../../shared/resources.ts';
import { type LocalServices, startServices } from '../services.ts';

let services: LocalServices;
let folder: string;
let platform: Platform;
const setting = (name: string): string => platform.settings[name] ?? '';

beforeAll(async () => {
  services = await startServices();
  ({ folder, platform } = services);
}, 60_000);
afterAll(() => services?.close());

/** Status of a request with these headers to a service. */
function ask(
  address: string,
  target: string,
  { method = 'GET', headers }: { method?: string; headers: Record<string, string> },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(target, address), { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject).end();
  });
}

describe('a request by another name than the machine’s own', () => {
  test.each(['blob', 'cosmos', 'arm', 'insights'] as const)('is refused by %s with 421', async (service) => {
    const address = platform.addresses[service];
    const { port } = new URL(address);
    for (const host of ['evil.example', `evil.example:${port}`, `127.0.0.1.evil.example:${port}`, 'localhost.evil'])
      expect([host, await ask(address, '/', { headers: { host } })]).toEqual([host, 421]);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`])
      expect([host, await ask(address, '/', { headers: { host } })]).not.toEqual([host, 421]);
  });

  test('starts no job, though it has the token', async () => {
    const target = `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/darkroom-local/providers/Microsoft.App/jobs/${trainerJob}/start?api-version=2026-01-01`;
    const authorization = `Bearer ${setting('COMPUTE__accessToken')}`;
    const start = (headers: Record<string, string>) =>
      ask(platform.addresses.arm, target, { method: 'POST', headers: { authorization, ...headers } });
    expect(await start({ host: 'evil.example' })).toBe(421);
    expect(await start({ authorization: 'Bearer local' })).toBe(401);
    expect(await start({})).toBeLessThan(300);
  });
});

describe('the keys that every emulator has', () => {
  test('open no documents', async () => {
    const client = new CosmosClient({
      endpoint: setting('COSMOS__accountEndpoint'),
      key: emulatorKey,
      connectionPolicy: { enableEndpointDiscovery: false },
    });
    await expect(client.databases.readAll().fetchAll()).rejects.toMatchObject({ code: 401 });
  });

  test('open no blobs', async () => {
    const known = new StorageSharedKeyCredential(account.name, account.key);
    const client = new BlobServiceClient(setting('BLOB__serviceUri'), known);
    await expect(client.getContainerClient('uploads').getProperties()).rejects.toMatchObject({ statusCode: 403 });
  });

  test('open no queue, and neither does a connection without a claim', async () => {
    const connection = setting('SERVICEBUS').replace(/SharedAccessKey=[^;]+/, 'SharedAccessKey=local');
    const client = new ServiceBusClient(connection, { retryOptions: { maxRetries: 0 } });
    await expect(client.createReceiver('deployments').peekMessages(1)).rejects.toThrow(/signed with another key/);
    await client.close();
    const owner = new ServiceBusClient(setting('SERVICEBUS'));
    expect(await owner.createReceiver('deployments').peekMessages(1)).toEqual([]);
    await owner.close();
  });
});

test('the keys are the same at the next start, and nobody else can read them', async () => {
  const file = path.join(folder, 'secrets.json');
  const keys = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
  expect(keys['cosmosKey']).toBe(setting('COSMOS__accountKey'));
  expect(keys['blobKey']).toBe(setting('BLOB__accountKey'));
  if (process.platform !== 'win32') expect((await stat(file)).mode & 0o077).toBe(0);
});
