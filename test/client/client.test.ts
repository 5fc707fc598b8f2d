import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type Client, createClient } from '../../client/client.ts';
import { getAll } from '../../client/pages.ts';
import { putToStorage } from '../../client/uploads.ts';

type Reply = { status: number; body: unknown; headers?: Record<string, string> };
let server: Server;
let address: string;
let client: Client;
let requests: {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}[];
let replies: Reply[];

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method, url, headers } = request;
      requests.push({ method, url, headers, body: Buffer.concat(parts).toString() });
      const { status, body, headers: more } = replies.shift() ?? { status: 500, body: 'no reply left' };
      response.writeHead(status, more).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = createClient(address, 'dk_key');
});
afterAll(() => server.close());
beforeEach(() => {
  requests = [];
  replies = [];
});

const named = z.object({ name: z.string() });

describe('the client', () => {
  test('sends its key and returns the ETag', async () => {
    replies = [{ status: 200, body: { name: 'a' }, headers: { etag: '"1"' } }];
    expect(await client.get('/projects/a', named)).toEqual({ body: { name: 'a' }, etag: '"1"' });
    expect(requests[0]).toMatchObject({ url: '/api/v1/projects/a', headers: { 'x-api-key': 'dk_key' } });
  });

  test('reads again when the server is being replaced, but does not repeat commands', async () => {
    replies = [
      { status: 503, body: '' },
      { status: 200, body: { name: 'a' } },
    ];
    expect((await client.get('/projects/a', named)).body.name).toBe('a');
    replies = [
      { status: 503, body: '' },
      { status: 200, body: { name: 'a' } },
    ];
    await expect(client.send('POST', '/projects/a/commits', {}, named)).rejects.toThrow(/answered 503/);
    expect(requests).toHaveLength(3);
  });

  test('quotes what the API says about a refusal', async () => {
    const error = { code: 'unknown-project', message: 'There is no project "a".' };
    const problem = { type: 'urn:x', title: 'x', status: 404, detail: error.message, requestId: 'r1', error };
    replies = [{ status: 404, body: problem }];
    await expect(client.get('/projects/a', named)).rejects.toThrow(
      'GET /projects/a was answered 404: unknown-project: There is no project "a". (request r1)',
    );
  });

  test('refuses an answer of another shape, with the place', async () => {
    replies = [{ status: 200, body: { name: 7 } }];
    await expect(client.get('/projects/a', named)).rejects.toThrow(/another shape[\s\S]*at name/);
  });

  test('follows a listing to its end', async () => {
    replies = [
      { status: 200, body: { value: [{ name: 'a' }], nextLink: `${address}/api/v1/projects?continuation=x` } },
      { status: 200, body: { value: [{ name: 'b' }] } },
    ];
    expect(await getAll(client, '/projects', named)).toEqual([{ name: 'a' }, { name: 'b' }]);
    expect(requests[1]?.url).toBe('/api/v1/projects?continuation=x');
  });
});

describe('a PUT to storage', () => {
  const put = () => putToStorage(`${address}/uploads/a.png?sig=1`, { 'x-ms-blob-type': 'BlockBlob' }, Buffer.from('x'));

  test('sends the given headers and no key', async () => {
    replies = [{ status: 201, body: '' }];
    await put();
    expect(requests[0]).toMatchObject({ method: 'PUT', url: '/uploads/a.png?sig=1', body: 'x' });
    expect(requests[0]?.headers).toMatchObject({ 'x-ms-blob-type': 'BlockBlob' });
    expect(requests[0]?.headers).not.toHaveProperty('x-api-key');
  });

  const overwrite = {
    status: 403,
    body: 'UnauthorizedBlobOverwrite',
    headers: { 'x-ms-error-code': 'UnauthorizedBlobOverwrite' },
  };

  test.each([
    [500, { status: 409, body: 'BlobAlreadyExists' }],
    [500, overwrite],
    [503, overwrite],
  ])('that was answered %d and then finds the blob made has succeeded', async (status, there) => {
    replies = [{ status, body: '' }, there];
    await put();
    expect(requests).toHaveLength(2);
  });

  test('that is refused at its repetition for another reason fails', async () => {
    const expired = { status: 403, body: 'expired', headers: { 'x-ms-error-code': 'AuthenticationFailed' } };
    replies = [{ status: 500, body: '' }, expired];
    await expect(put()).rejects.toThrow('PUT /uploads/a.png was answered 403 by storage: expired');
  });

  test('that finds the blob there at once fails: somebody else made it', async () => {
    replies = [{ status: 409, body: 'BlobAlreadyExists' }];
    await expect(put()).rejects.toThrow('PUT /uploads/a.png was answered 409 by storage: BlobAlreadyExists');
  });
});
