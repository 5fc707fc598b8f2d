/** The local services with keys switched off, as in Azure: the adapters reach them by identity, keys are refused. */
import { CosmosClient } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { account } from '../../local/blob/event.ts';
import { emulatorKey } from '../../local/cosmos/authorization.ts';
import type { Platform } from '../../local/platform.ts';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import { compose } from '../../shared/delivery/compose.ts';
import type { Ports } from '../../shared/ports.ts';
import { type LocalServices, startServices } from '../services.ts';

const identityNames = ['IDENTITY_ENDPOINT', 'IDENTITY_HEADER'] as const;
let services: LocalServices;
let platform: Platform;
let ports: Ports;

beforeAll(async () => {
  services = await startServices({ keyless: true });
  ({ platform } = services);
  for (const name of identityNames) process.env[name] = platform.settings[name];
  ports = connect(readConfig(platform.settings));
}, 60_000);
afterAll(async () => {
  for (const name of identityNames) delete process.env[name];
  await services?.close();
});

test('no setting is a key or a connection string with one', () => {
  for (const [name, value] of Object.entries(platform.settings)) {
    expect(name).not.toMatch(/accountKey|accessToken/i);
    expect(value, name).not.toMatch(/sharedaccesskey|accountkey=/i);
  }
  for (const name of ['blob', 'cosmos', 'arm', 'insights'] as const)
    expect(platform.addresses[name]).toMatch(/^https:/);
});

describe('by identity', () => {
  test('documents are written and read', async () => {
    const document = {
      id: 'e1',
      pk: 'digits',
      type: 't',
      subject: 's',
      text: 'x',
      at: '2026-01-01',
      cause: 'c',
      by: null,
    };
    await ports.documents.create('events', document as never);
    expect((await ports.documents.read('events', 'digits', 'e1'))?.document).toMatchObject({ text: 'x' });
  });

  test('blobs are written, and signed by a user delegation key for people who have no identity', async () => {
    expect(await ports.blobs.create('jobs', 'a/b.txt', 'hello')).toBe('created');
    const soon = new Date(Date.now() + 600_000);
    const read = await ports.blobs.sign('jobs', 'a/b.txt', 'read', soon);
    expect(read).toContain('skoid=');
    expect(await (await fetch(read)).text()).toBe('hello');
    const create = await ports.blobs.sign('jobs', 'a/new.txt', 'create', soon);
    const put = (body: string, url = create) =>
      fetch(url, { method: 'PUT', headers: { 'x-ms-blob-type': 'BlockBlob' }, body });
    expect((await put('once')).status).toBe(201);
    expect((await put('twice')).status).toBeGreaterThanOrEqual(400);
    expect((await fetch(create)).status).toBe(403);
    expect((await put('elsewhere', create.replace('/a/new.txt', '/a/other.txt'))).status).toBe(403);
  });

  test('messages are sent, and jobs are listed', async () => {
    const message = compose('darkroom.run.ended', 'p/r', { project: 'digits', run: 'r' }, { id: 'test' });
    await ports.messages.send('trainings', [message as never]);
    expect(await ports.compute.list()).toEqual([]);
  });
});

describe('refused are', () => {
  test('the key of the documents', async () => {
    const client = new CosmosClient({
      endpoint: platform.addresses.cosmos,
      key: emulatorKey,
      connectionPolicy: { enableEndpointDiscovery: false },
    });
    await expect(client.database('darkroom').container('events').item('e1', 'digits').read()).rejects.toThrow(
      /Local Authorization is disabled/,
    );
  });

  test('the key of the blobs, and signatures made with it', async () => {
    const key = new StorageSharedKeyCredential(account.name, account.key);
    const service = new BlobServiceClient(platform.addresses.blob, key, { retryOptions: { maxTries: 1 } });
    const blob = service.getContainerClient('jobs').getBlockBlobClient('a/b.txt');
    await expect(blob.download()).rejects.toThrow(/Key based authentication is not permitted/);
    const signed = await blob.generateSasUrl({
      permissions: { toString: () => 'r' } as never,
      expiresOn: new Date(Date.now() + 600_000),
    });
    expect((await fetch(signed)).status).toBe(403);
    expect((await fetch(blob.url)).status).toBe(403);
  });

  test('tokens for another resource', async () => {
    const { IDENTITY_ENDPOINT, IDENTITY_HEADER, AZURE_CLIENT_ID } = platform.settings;
    const url = `${IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=https://vault.azure.net&client_id=${AZURE_CLIENT_ID}`;
    const answer = await fetch(url, { headers: { 'x-identity-header': IDENTITY_HEADER ?? '' } });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${platform.addresses.blob}/jobs/a/b.txt`, { headers })).status).toBe(403);
    const job = `${platform.addresses.arm}${platform.settings['COMPUTE__jobId']}?api-version=2026-01-01`;
    expect((await fetch(job, { headers })).status).toBe(401);
    const track = `${platform.addresses.insights}/v2.1/track`;
    expect((await fetch(track, { method: 'POST', headers, body: '[]' })).status).toBe(401);
  });

  test('connections to the broker with a key', async () => {
    const host = platform.settings['SERVICEBUS__fullyQualifiedNamespace'];
    const connection = `Endpoint=sb://${host};SharedAccessKeyName=local;SharedAccessKey=local`;
    const client = new ServiceBusClient(connection, { retryOptions: { maxRetries: 0, timeoutInMs: 5000 } });
    await expect(client.createSender('trainings').sendMessages({ body: 'x' })).rejects.toThrow(
      /Local authentication is disabled/,
    );
    await client.close();
  });

  test('identities that are not there, and callers that are not the app', async () => {
    const { IDENTITY_ENDPOINT = '', IDENTITY_HEADER = '', AZURE_CLIENT_ID = '' } = platform.settings;
    const ask = (clientId: string, secret: string) =>
      fetch(`${IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=https://storage.azure.com&client_id=${clientId}`, {
        headers: { 'x-identity-header': secret },
      });
    expect((await ask(AZURE_CLIENT_ID, IDENTITY_HEADER)).status).toBe(200);
    expect((await ask('another', IDENTITY_HEADER)).status).toBe(400);
    expect((await ask(AZURE_CLIENT_ID, 'guessed')).status).toBe(401);
  });
});
