import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startBlob } from '../../local/blob/server.ts';
import { blobCreatedEvent } from '../../shared/delivery/message.ts';
import { startBlobs, type TestedBlobs } from './blob-service.ts';

let blobs: TestedBlobs;
beforeAll(async () => void (blobs = await startBlobs()));
beforeEach(() => {
  blobs.events = [];
  blobs.deliver = async (_queue, event) => void blobs.events.push(event);
});
afterAll(() => blobs.close());

const until = async (condition: () => boolean) => {
  for (let i = 0; i < 100 && !condition(); i += 1) await sleep(50);
  expect(condition()).toBe(true);
};

describe('a write to a container with events', () => {
  test('sends one BlobCreated event in the schema of Event Grid before it is answered', async () => {
    const put = await blobs.uploads
      .getBlockBlobClient('digits/7/a b ü.png')
      .upload('hello', 5, { blobHTTPHeaders: { blobContentType: 'image/png' } });
    expect(blobs.events).toHaveLength(1);
    const event = blobCreatedEvent.parse(blobs.events[0]);
    expect(event.subject).toBe('/blobServices/default/containers/uploads/blobs/digits/7/a b ü.png');
    expect(event.data).toMatchObject({
      contentLength: 5,
      contentType: 'image/png',
      eTag: put.etag?.replaceAll('"', ''),
    });
    expect(event.data.url).toBe(`${blobs.service.endpoint}/uploads/digits/7/a%20b%20%C3%BC.png`);
    expect(blobs.events[0]?.data).toMatchObject({ api: 'PutBlob', requestId: put.requestId, blobType: 'BlockBlob' });
    expect(blobs.events[0]?.source).toMatch(/^\/subscriptions\/.*\/storageAccounts\/devstoreaccount1$/);
  });

  test('tells length and type of a blob that was sent in blocks', async () => {
    const blob = blobs.uploads.getBlockBlobClient('blocks.bin');
    await blob.uploadData(Buffer.alloc(300_000, 1), {
      maxSingleShotSize: 1000,
      blockSize: 100_000,
      blobHTTPHeaders: { blobContentType: 'image/jpeg' },
    });
    expect(blobs.events.map((e) => e.data)).toMatchObject([
      { api: 'PutBlockList', contentLength: 300_000, contentType: 'image/jpeg' },
    ]);
    expect((await blob.downloadToBuffer()).equals(Buffer.alloc(300_000, 1))).toBe(true);
  });

  test('counts a copy', async () => {
    const source = blobs.uploads.getBlockBlobClient('copy-source');
    await source.upload('abc', 3, { blobHTTPHeaders: { blobContentType: 'text/plain' } });
    const copy = await blobs.uploads.getBlockBlobClient('copy-target').beginCopyFromURL(source.url);
    await copy.pollUntilDone();
    expect(blobs.events[1]?.data).toMatchObject({ api: 'CopyBlob', contentLength: 3, contentType: 'text/plain' });
  });

  test('sends nothing when the write is refused', async () => {
    const blob = blobs.uploads.getBlockBlobClient('once');
    await blob.upload('1', 1, { conditions: { ifNoneMatch: '*' } });
    await expect(blob.upload('2', 1, { conditions: { ifNoneMatch: '*' } })).rejects.toMatchObject({ statusCode: 409 });
    expect(blobs.events).toHaveLength(1);
  });

  test('numbers the writes of one blob in the order in which they were stored', async () => {
    const blob = blobs.uploads.getBlockBlobClient('contended');
    await Promise.all(Array.from({ length: 8 }, (_, i) => blob.upload(String(i), 1)));
    const last = [...blobs.events].sort((a, b) => (a.data.sequencer < b.data.sequencer ? -1 : 1)).at(-1);
    expect(last?.data.eTag).toBe((await blob.getProperties()).etag?.replaceAll('"', ''));
    expect(new Set(blobs.events.map((e) => e.id)).size).toBe(8);
  });

  test('is acknowledged while its queue is away, and its event comes when the queue is back', async () => {
    blobs.deliver = async () => {
      throw new Error('the queue is away');
    };
    await blobs.uploads.getBlockBlobClient('patience').upload('x', 1);
    blobs.deliver = async (_queue, event) => void blobs.events.push(event);
    await until(() => blobs.events.length === 1);
    expect(blobs.events[0]?.subject).toMatch(/patience$/);
  });
});

test('blocks, metadata and containers without events send nothing', async () => {
  const blob = blobs.uploads.getBlockBlobClient('blocks-only');
  await blob.stageBlock(Buffer.from('00').toString('base64'), 'abc', 3);
  await blobs.models.getBlockBlobClient('m').upload('x', 1);
  await blobs.models.getBlockBlobClient('m').setMetadata({ a: 'b' });
  expect(blobs.events).toHaveLength(0);
});

test('curl sends a file of unknown length', async () => {
  const url = await blobs.signed('chunked.bin', 'cw');
  const headers = [
    '-H',
    'x-ms-blob-type: BlockBlob',
    '-H',
    'content-type: image/png',
    '-H',
    'transfer-encoding: chunked',
  ];
  const body = Buffer.alloc(200_000, 2);
  // Azurite, as Azure, wants a length: the refusal must reach the client and send no event
  const curl = spawn('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-T', '-', ...headers, url]);
  // curl that was refused ends before it has read everything
  curl.stdin.on('error', () => undefined);
  curl.stdin.end(body);
  let status = '';
  for await (const chunk of curl.stdout) status += String(chunk);
  const stored = Number(status) < 300;
  expect(blobs.events).toHaveLength(stored ? 1 : 0);
  if (stored) expect(blobs.events[0]?.data).toMatchObject({ contentLength: 200_000, contentType: 'image/png' });
});

test('a taken port is named with the setting to change', async () => {
  const other = await mkdtemp(join(tmpdir(), 'blob-'));
  const taken = startBlob({
    port: blobs.service.port,
    dataDir: other,
    eventsFor: {},
    deliver: async () => undefined,
    azuriteAddress: 'http://127.0.0.1:1',
  });
  await expect(taken).rejects.toThrow(
    new RegExp(`Port ${blobs.service.port} for blob storage is already in use.*ports\\.blob`),
  );
  await rm(other, { recursive: true });
});

describe('after a restart', () => {
  test('blobs and undelivered events are still there, and the sequencer goes on', async () => {
    await blobs.uploads.getBlockBlobClient('kept').upload('kept', 4);
    const before = blobs.events[0]?.data.sequencer ?? '';
    blobs.deliver = async () => {
      throw new Error('the queue is away');
    };
    await blobs.uploads.getBlockBlobClient('owed').upload('owed', 4);
    await blobs.service.close();

    blobs.deliver = async (_queue, event) => void blobs.events.push(event);
    await blobs.start();
    await until(() => blobs.events.length === 2);
    expect(blobs.events[1]?.subject).toMatch(/owed$/);
    expect((await blobs.uploads.getBlockBlobClient('kept').downloadToBuffer()).toString()).toBe('kept');
    await blobs.uploads.getBlockBlobClient('later').upload('x', 1);
    expect((blobs.events[2]?.data.sequencer ?? '') > before).toBe(true);
  });

  test('closing leaves no Azurite behind', async () => {
    const pid = Number(await readFile(join(blobs.dataDir, 'azurite', 'azurite.pid'), 'utf8'));
    expect(execFileSync('ps', ['-o', 'args=', '-p', String(pid)]).toString()).toContain('azurite');
    await blobs.service.close();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await blobs.start();
  });
});
