/** The blob service alone, with a container whose writes are events and one whose writes are none. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobSASPermissions, BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { type BlobOptions, type BlobService, startBlob } from '../../local/blob/server.ts';

export type BlobEvent = Parameters<BlobOptions['deliver']>[1];

export interface TestedBlobs {
  dataDir: string;
  service: BlobService;
  /** its writes are events */
  uploads: ContainerClient;
  /** its writes are none */
  models: ContainerClient;
  /** what was delivered since the test began */
  events: BlobEvent[];
  deliver: BlobOptions['deliver'];
  /** once the service was closed: starts it again at the same port, with what it kept */
  start(): Promise<void>;
  /** an address of a blob of `uploads` that holds for a minute */
  signed(name: string, permissions: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts the service in a folder of its own. */
export async function startBlobs(): Promise<TestedBlobs> {
  const dataDir = await mkdtemp(join(tmpdir(), 'blob-'));
  const start = (port: number) =>
    startBlob({
      port,
      dataDir,
      eventsFor: { uploads: 'blob-created', models: null },
      deliver: (queue, event) => tested.deliver(queue, event),
    });
  const container = (name: string): ContainerClient =>
    BlobServiceClient.fromConnectionString(tested.service.connectionString).getContainerClient(name);
  const tested: TestedBlobs = {
    dataDir,
    service: await start(0),
    get uploads() {
      return container('uploads');
    },
    get models() {
      return container('models');
    },
    events: [],
    deliver: async (_queue, event) => void tested.events.push(event),
    async start() {
      tested.service = await start(tested.service.port);
    },
    signed: (name, permissions) =>
      tested.uploads.getBlockBlobClient(name).generateSasUrl({
        permissions: BlobSASPermissions.parse(permissions),
        expiresOn: new Date(Date.now() + 60_000),
      }),
    async close() {
      await tested.service.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  await tested.uploads.create();
  await tested.models.create();
  return tested;
}
