/** Who may do what with an address, and that what is checked is what is stored. */
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { BlockBlobClient, ContainerSASPermissions } from '@azure/storage-blob';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rawClient } from '../local/raw-client.ts';
import { startBlobs, type TestedBlobs } from './blob-service.ts';

let blobs: TestedBlobs;
beforeAll(async () => void (blobs = await startBlobs()));
beforeEach(() => {
  blobs.events = [];
  blobs.deliver = async (_queue, event) => void blobs.events.push(event);
});
afterAll(() => blobs.close());

describe('signatures made for the address of the front door', () => {
  test('a create-only address takes one blob and no second', async () => {
    const url = await blobs.signed('by curl/ünï.png', 'c');
    const put = () =>
      fetch(url, {
        method: 'PUT',
        body: 'hello',
        headers: { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'image/png' },
      });
    expect((await put()).status).toBe(201);
    const again = await put();
    expect([again.status, again.headers.get('x-ms-error-code')]).toEqual([403, 'UnauthorizedBlobOverwrite']);
    expect(await again.text()).toContain('<Code>UnauthorizedBlobOverwrite</Code>');
    expect(blobs.events.map((e) => e.data)).toMatchObject([{ contentType: 'image/png', contentLength: 5 }]);
    expect(blobs.events[0]?.data.url).not.toContain('sig=');
  });

  test('a create-only address takes a file in one request, and no blocks of it', async () => {
    const whole = new BlockBlobClient(await blobs.signed('whole.png', 'c'));
    await whole.uploadData(Buffer.from('hello'));
    const inBlocks = new BlockBlobClient(await blobs.signed('blocks.png', 'c'));
    await expect(inBlocks.stageBlock('AAAA', 'hello', 5)).rejects.toMatchObject({ statusCode: 403 });
    // small as it is: a stream has no length to put at once
    await expect(inBlocks.uploadStream(Readable.from([Buffer.from('hello')]))).rejects.toMatchObject({
      statusCode: 403,
    });
    expect(blobs.events.map((event) => event.subject)).toEqual([expect.stringContaining('whole.png')]);
  });

  test('a read address reads, and does not write', async () => {
    await blobs.uploads.getBlockBlobClient('readable').upload('text', 4);
    const url = await blobs.signed('readable', 'r');
    expect(await (await fetch(url)).text()).toBe('text');
    const put = await fetch(url, { method: 'PUT', body: 'x', headers: { 'x-ms-blob-type': 'BlockBlob' } });
    expect([put.status, put.headers.get('x-ms-error-code')]).toEqual([403, 'AuthorizationPermissionMismatch']);
  });

  test('listings name the front door, and names with odd characters come back whole', async () => {
    await blobs.uploads.getBlockBlobClient('odd/%25 #?&+.png').upload('x', 1);
    const names: string[] = [];
    for await (const item of blobs.uploads.listBlobsFlat({ prefix: 'odd/' })) names.push(item.name);
    expect(names).toEqual(['odd/%25 #?&+.png']);
    expect(blobs.events[0]?.subject).toBe('/blobServices/default/containers/uploads/blobs/odd/%25 #?&+.png');
  });
});

/** Sends a path as it is, which fetch would tidy up. */
const rawPut = async (path: string, query: string): Promise<number> => {
  const request = httpRequest({
    host: '127.0.0.1',
    port: blobs.service.port,
    method: 'PUT',
    path: `${path}?${query}`,
    headers,
  });
  request.end('x');
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode ?? 0;
};
const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-length': 1 };

describe('an address that could be read in two ways', () => {
  const token = () =>
    blobs.uploads
      .generateSasUrl({ permissions: ContainerSASPermissions.parse('cwr'), expiresOn: new Date(Date.now() + 60_000) })
      .then((url) => url.split('?')[1] ?? '');

  test.each([
    ['/devstoreaccount1/uploads/a/../b', 'a/../b'],
    ['/devstoreaccount1/uploads/a%2F..%2Fc', 'a/../c'],
    ['/devstoreaccount1/uploads/back%5Cslash', 'back/slash'],
    ['/devstoreaccount1/uploads//two', '/two'],
    ['/devstoreaccount1/uploads/dot.', 'dot.'],
    ['/devstoreaccount1%2Fuploads%2Fd', 'd'],
  ])('%s: the event names the stored blob', async (path, name) => {
    expect(await rawPut(path, await token())).toBe(201);
    expect(blobs.events.map((e) => e.subject)).toEqual([`/blobServices/default/containers/uploads/blobs/${name}`]);
    const names: string[] = [];
    for await (const item of blobs.uploads.listBlobsFlat()) names.push(item.name);
    expect(names).toContain(name);
  });

  test('a parameter given twice does not hide a write', async () => {
    const status = await rawPut('/devstoreaccount1/uploads/twice', `${await token()}&comp=a&comp=b`);
    expect(blobs.events).toHaveLength(status === 201 ? 1 : 0);
  });

  test('absolute addresses and fragments are refused', async () => {
    expect(await rawPut(`${blobs.service.endpoint}/uploads/absolute`, await token())).toBe(400);
    expect(await rawPut('/devstoreaccount1/uploads/a#b', await token())).toBe(400);
    expect(blobs.events).toHaveLength(0);
  });
});

test('an upload that is refused while it comes has its answer, and the connection goes on', async () => {
  const client = rawClient(blobs.service.port);
  const path = (name: string): string => new URL(`${blobs.service.endpoint}/uploads/${name}`).pathname;
  const headers = { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2021-12-02' };
  const put = async (name: string): Promise<string> =>
    (await client.send(path(name), 20e6, headers, 'PUT')).slice(0, 3);
  // a name that the front door refuses, and a request without a signature, which Azurite does
  expect([await put('n'.repeat(1025)), await put('a.png'), await put('%ff'), await put('b.png')]).toEqual([
    ...['400', '403', '400', '403'],
  ]);
}, 30_000);
