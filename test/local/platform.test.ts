import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Platform, type PlatformOptions, startPlatform } from '../../local/platform.ts';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import { blobContainers } from '../../shared/resources.ts';
import { anyPorts } from '../platform.ts';

const app = `
import { app } from '@azure/functions';
const seen = [];
app.http('seen', { route: 'api/seen', methods: ['GET'], authLevel: 'anonymous', handler: () => ({ jsonBody: { seen, settings: Object.keys(process.env) } }) });
app.serviceBusQueue('created', { connection: 'SERVICEBUS', queueName: 'blob-created', handler: (event) => void seen.push(event) });
`;

let folder: string;
let platform: Platform;

const options = (more: Partial<PlatformOptions> = {}): PlatformOptions => ({
  dataDir: join(folder, 'data'),
  ports: anyPorts,
  appRoot: join(folder, 'app'),
  appEntry: 'app.mjs',
  jobCommand: [process.execPath, '-e', ''],
  onLog: () => undefined,
  ...more,
});
const storage = () => {
  const { BLOB__serviceUri = '', BLOB__accountName = '', BLOB__accountKey = '' } = platform.settings;
  return new BlobServiceClient(BLOB__serviceUri, new StorageSharedKeyCredential(BLOB__accountName, BLOB__accountKey));
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platform-'));
  await mkdir(join(folder, 'app'));
  await copyFile(new URL('../../host.json', import.meta.url), join(folder, 'app', 'host.json'));
  await writeFile(join(folder, 'app', 'app.mjs'), app);
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'app', 'node_modules'));
  platform = await startPlatform(options({ extraSettings: { SWEEP_SCHEDULE: '0 0 * * * *', OWN: '1' } }));
});
afterAll(async () => {
  await platform.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the embedded platform', () => {
  test('an upload reaches a function as BlobCreated', async () => {
    await storage().getContainerClient('uploads').getBlockBlobClient('digits/7/a.png').upload('x', 1);
    let seen: unknown[] = [];
    for (let i = 0; i < 60 && seen.length === 0; i += 1) {
      await sleep(50);
      ({ seen } = (await (await fetch(`${platform.addresses.http}/api/seen`)).json()) as { seen: unknown[] });
    }
    expect(seen).toMatchObject([
      {
        type: 'Microsoft.Storage.BlobCreated',
        subject: '/blobServices/default/containers/uploads/blobs/digits/7/a.png',
      },
    ]);
  });

  test('has every blob container', async () => {
    const names: string[] = [];
    for await (const container of storage().listContainers()) names.push(container.name);
    expect(names.sort()).toEqual(Object.keys(blobContainers).sort());
  });

  test('gives the app settings that are complete, its own ones last', async () => {
    expect(platform.settings).toMatchObject({ SWEEP_SCHEDULE: '0 0 * * * *', OWN: '1' });
    const ports = connect(readConfig(platform.settings));
    expect(await ports.documents.read('projects', 'p', 'p')).toBeUndefined();
    expect(await ports.compute.list()).toEqual([]);
    const { settings } = (await (await fetch(`${platform.addresses.http}/api/seen`)).json()) as { settings: string[] };
    expect(settings).toEqual(expect.arrayContaining(Object.keys(platform.settings)));
  });
});

describe('a port that is taken', () => {
  test('is named together with the setting, for every service, before anything starts', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    for (const name of Object.keys(anyPorts)) {
      const start = startPlatform(options({ dataDir: join(folder, 'never'), ports: { ...anyPorts, [name]: port } }));
      await expect(start).rejects.toThrow(new RegExp(`Port ${port} .*already in use.*ports\\.${name}`));
    }
    const same = startPlatform(
      options({ dataDir: join(folder, 'never'), ports: { ...anyPorts, blob: port + 1, arm: port + 1 } }),
    );
    await expect(same).rejects.toThrow(/two services: change ports.arm/);
    other.close();
  });
});

test('an app that does not load stops everything again', async () => {
  const start = startPlatform(options({ dataDir: join(folder, 'other'), appEntry: 'missing.mjs' }));
  await expect(start).rejects.toThrow();
  const again = await startPlatform(options({ dataDir: join(folder, 'other'), functionsOnly: [] }));
  expect(again.functions).toBeUndefined();
  await again.close();
});
