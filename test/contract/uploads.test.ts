/** Whatever the blob service accepts as an upload has an outcome: real storage, its events, the real ingest. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  BlobSASPermissions,
  BlobServiceClient,
  type BlockBlobUploadOptions,
  type ContainerClient,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BlobService, startBlob } from '../../local/blob/server.ts';
import { listen } from '../../local/listen.ts';
import { storageBlobs } from '../../shared/azure/blobs.ts';
import { TerminalError } from '../../shared/errors.ts';
import { labelIn } from '../shared/dataset/samples.ts';
import { projectSettings } from '../../shared/project/settings.ts';
import { blobContainers } from '../../shared/resources.ts';
import { createFakes, type Fakes } from '../simulation/fakes.ts';
import { type Stages, stagesOf } from '../hostile/stages.ts';

let dataDir: string;
let service: BlobService;
let uploads: ContainerClient;
let world: Fakes;
let stages: Stages;
let outcomes: string[] = [];
let shade = 0;

const project = 'digits';
/** a picture that is no other's duplicate */
const picture = (): Promise<Buffer> =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: { r: ++shade, g: 0, b: 255 } } })
    .png()
    .toBuffer();

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'uploads-'));
  service = await startBlob({
    port: 0,
    dataDir,
    eventsFor: { uploads: 'blob-created' },
    deliver: async (_queue, event) => void outcomes.push(await stages.deliver('blob-created', event)),
  });
  const key = new StorageSharedKeyCredential(service.accountName, service.accountKey);
  const account = new BlobServiceClient(service.endpoint, key);
  await Promise.all(Object.keys(blobContainers).map((name) => account.getContainerClient(name).create()));
  uploads = account.getContainerClient('uploads');
  world = createFakes();
  world.ports.blobs = storageBlobs(account, key, () => new Date());
  stages = stagesOf(world);
  const at = '2026-03-01T00:00:00.000Z';
  world.put('projects', {
    ...{ id: project, pk: 'projects', settings: projectSettings.parse({}), createdAt: at, updatedAt: at },
  });
});
afterAll(async () => {
  await service.close();
  await rm(dataDir, { recursive: true, force: true });
});

const put = async (name: string, options: BlockBlobUploadOptions = {}, body?: Buffer): Promise<void> => {
  const bytes = body ?? (await picture());
  await uploads.getBlockBlobClient(`${project}/${name}`).upload(bytes, bytes.length, options);
};
/** outcome, and the reason's code or the label */
const outcomeOf = async (write: () => Promise<void>): Promise<string> => {
  outcomes = [];
  const before = new Set(world.all('uploads').map(({ id }) => id));
  await write();
  const made = world.all('uploads').find(({ id }) => !before.has(id));
  return `${outcomes.join()} ${made?.reason?.code ?? labelIn(made) ?? ''}`.trim();
};
const long = (length: number): string => '猫'.repeat(length);

describe('an upload has an outcome', () => {
  test.each<[string, string, () => Promise<void>]>([
    ['in the archive tier', 'quarantined archived', () => put('a/archive.png', { tier: 'Archive' })],
    ['in the cool tier', 'accepted a', () => put('a/cool.png', { tier: 'Cool' })],
    ['in the cold tier', 'accepted a', () => put('a/cold.png', { tier: 'Cold' })],
    [
      'with a type of 600 characters',
      'accepted a',
      () => put('a/type.png', { blobHTTPHeaders: { blobContentType: `image/png; ${'x'.repeat(600)}` } }),
    ],
    ['with a name of 1,024 characters of three bytes', 'accepted a', () => put(`a/${long(1024 - 9)}`)],
    ['with such a name in no project', 'quarantined bad-name', () => put(`a/b/${long(1024 - 11)}`)],
    [
      'with a content encoding that it does not have',
      'accepted a',
      () => put('a/plain.png', { blobHTTPHeaders: { blobContentEncoding: 'gzip' } }),
    ],
    [
      'that is compressed once more',
      'quarantined not-an-image',
      async () => put('a/b.png', { blobHTTPHeaders: { blobContentEncoding: 'gzip' } }, gzipSync(await picture())),
    ],
    ['of no bytes', 'quarantined empty', () => put('a/nothing.png', {}, Buffer.alloc(0))],
    ['in an encryption scope', 'accepted a', () => put('a/scope.png', { encryptionScope: 'theirs' })],
    ['with tags', 'accepted a', () => put('a/tags.png', { tags: { label: 'b' } })],
    ['with a field of metadata that JavaScript hides', 'accepted a', () => put('a/m.png', hidden)],
    ['with an empty label in its metadata', 'unlabelled', () => put('empty.png', { metadata: { label: '' } })],
    ['with a label that is none', 'unlabelled bad-label', () => put('bad.png', { metadata: { label: 'x%2Fy' } })],
    ['that ends in a dot', 'accepted a', () => put('a/dot.')],
    [
      'that is an append blob',
      'quarantined not-a-block-blob',
      async () => {
        const blob = uploads.getAppendBlobClient(`${project}/a/append.png`);
        await blob.create();
        const bytes = await picture();
        await blob.appendBlock(bytes, bytes.length);
      },
    ],
    [
      'that is a page blob of no project',
      'quarantined unknown-project',
      async () => void (await uploads.getPageBlobClient('nobodys/a/page.png').create(512)),
    ],
    [
      'that is copied',
      'duplicate a',
      async () => {
        const from = await uploads
          .getBlockBlobClient(`${project}/a/cool.png`)
          .generateSasUrl({ permissions: BlobSASPermissions.parse('r'), expiresOn: new Date(Date.now() + 60_000) });
        await uploads.getBlockBlobClient(`${project}/a/copied.png`).syncCopyFromURL(from);
      },
    ],
  ])('%s: %s', async (_what, outcome, write) => expect(await outcomeOf(write)).toBe(outcome));

  test('leased by its writer: it is accepted', async () => {
    await put('a/leased.png');
    const blob = uploads.getBlockBlobClient(`${project}/a/leased.png`);
    const lease = blob.getBlobLeaseClient();
    await lease.acquireLease(15);
    const bytes = await picture();
    const write = () => blob.upload(bytes, bytes.length, { conditions: { leaseId: lease.leaseId } });
    expect(await outcomeOf(async () => void (await write()))).toBe('accepted a');
    await lease.releaseLease();
  });

  test('and each refused one says what to do', () => {
    for (const { status, reason } of world.all('uploads'))
      if (status === 'quarantined') expect(reason?.detail).toMatch(/\. [A-Z].*\.$/s);
  });
});

describe('the same picture in other files', () => {
  const fixture = (name: string): Promise<Buffer> => readFile(join('test/fixtures/pictures', name));

  test('is a duplicate, and a conflict under another label', async () => {
    expect(await outcomeOf(async () => put('a/one.png', {}, await fixture('same-pixels-1.png')))).toBe('accepted a');
    expect(await outcomeOf(async () => put('a/nine.png', {}, await fixture('same-pixels-9.png')))).toBe('duplicate a');
    expect(await outcomeOf(async () => put('b/nine.png', {}, await fixture('same-pixels-9.png')))).toBe(
      'conflict label-conflict',
    );
  });

  test('saved again without loss, is never in two splits', async () => {
    const before = world.all('samples').length;
    const ended: string[] = [];
    for (let n = 0; n < 12; n++) {
      const pixels = Buffer.from(Array.from({ length: 12 * 12 * 3 }, (_, i) => (i * i * (n + 3) + n) % 256));
      const drawn = sharp(pixels, { raw: { width: 12, height: 12, channels: 3 } });
      const files = [drawn.clone().png({ compressionLevel: 1 }), drawn.clone().webp({ lossless: true })];
      for (const [i, file] of files.entries())
        ended.push(await outcomeOf(async () => put(`a/again-${n}-${i}`, {}, await file.toBuffer())));
    }
    expect(ended.filter((_, i) => i % 2 === 0)).toEqual(Array(12).fill('accepted a'));
    expect(ended.filter((_, i) => i % 2 === 1)).toEqual(Array(12).fill('duplicate a'));
    expect(world.all('samples').length - before).toBe(12);
    expect(new Set(world.all('samples').map(({ split }) => split)).size).toBeGreaterThan(1);
  });

  test('with bytes behind its end is stored without them, and the record says how many', async () => {
    await outcomeOf(async () => put('a/padded.jpg', {}, await fixture('padded.jpg')));
    await outcomeOf(async () =>
      put('a/jpeg.png', { blobHTTPHeaders: { blobContentType: 'image/png' } }, await fixture('jpeg-named.png')),
    );
    const [padded, named] = ['padded.jpg', 'jpeg.png'].map((file) =>
      world.all('uploads').find(({ blob }) => blob === `${project}/a/${file}`),
    );
    expect(padded?.trailingBytes).toBeGreaterThan(0);
    expect(named).toMatchObject({ declaredType: 'image/png' });
    const sample = world.all('samples').find(({ id }) => id === padded?.sample);
    expect((await fixture('padded.jpg')).length - (sample?.sizeBytes ?? 0)).toBeGreaterThanOrEqual(
      padded?.trailingBytes ?? Number.NaN,
    );
  });
});

const hidden = { metadata: JSON.parse('{"__proto__":"b","constructor":"c"}') as Record<string, string> };

test('what Azure refuses, the front door refuses: metadata beyond ASCII, keys of encryption without TLS', async () => {
  const url = await uploads
    .getBlockBlobClient(`${project}/a/refused.png`)
    .generateSasUrl({ permissions: BlobSASPermissions.parse('cw'), expiresOn: new Date(Date.now() + 60_000) });
  const send = async (headers: Record<string, string>): Promise<string | null> =>
    (
      await fetch(url, { method: 'PUT', body: 'x', headers: { 'x-ms-blob-type': 'BlockBlob', ...headers } })
    ).headers.get('x-ms-error-code');
  outcomes = [];
  expect(await send({ 'x-ms-meta-label': 'K\u00e4fer' })).toBe('InvalidMetadata');
  expect(await send({ 'x-ms-encryption-key': 'AAAA', 'x-ms-encryption-algorithm': 'AES256' })).toBe(
    'InvalidHeaderValue',
  );
  expect(outcomes).toEqual([]);
});

test.each([
  ['BlobUsesCustomerSpecifiedEncryption', 'encrypted'],
  ['BlobBeingRehydrated', 'archived'],
  ['SomethingNew', 'unreadable'],
])('storage that answers a read with 409 %s ends it at once, as %s', async (storageCode, code) => {
  // Azurite knows neither; the answer is as Azure's page of error codes has it
  const server = createServer((_request, response) => {
    response.writeHead(409, { 'x-ms-error-code': storageCode, 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${storageCode}</Code><Message>No.</Message></Error>`);
  });
  const port = await listen(server, { port: 0, host: '127.0.0.1', purpose: 'storage', setting: 'none' });
  const key = new StorageSharedKeyCredential('a', Buffer.from('k').toString('base64'));
  const blobs = storageBlobs(new BlobServiceClient(`http://127.0.0.1:${port}/a`, key), key, () => new Date());
  const refused: unknown = await blobs.get('uploads', 'digits/a/1.png', { maxBytes: 10 }).catch((e: unknown) => e);
  expect(refused).toBeInstanceOf(TerminalError);
  expect(refused).toMatchObject({ code });
  server.close();
});
