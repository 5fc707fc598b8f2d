/** What is compared and refused while a request is read. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createFakes } from '../../simulation/fakes.ts';
import { keyIn, routesOf } from './calls.ts';

const bytes = Buffer.from('the bytes of an image');
const digestOf = (algorithm: string): string => createHash(algorithm).update(bytes).digest('base64');

async function score(headers: Record<string, string>) {
  const world = createFakes();
  const call = routesOf(world);
  async function* body(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return call('score-post', '/projects/digits/score', { key: keyIn(world, 1), headers, body: body() });
}

test.for([
  { 'content-md5': digestOf('md5') },
  { digest: `SHA-256=${digestOf('sha256')},unixsum=30637` },
  { 'content-digest': `sha-512=:${digestOf('sha512')}:` },
  { 'repr-digest': `sha-256=:${digestOf('sha256')}:, sha=:${digestOf('sha1')}:` },
])('%j is what the body is', async (headers) => {
  expect(await score(headers as Record<string, string>)).toMatchObject({ status: 200, json: { bytes: bytes.length } });
});

const other = createHash('sha256').update('other bytes').digest('base64');

test.for([
  ['content-md5', createHash('md5').update('other bytes').digest('base64')],
  ['digest', `md5=${digestOf('md5')},sha-256=${other}`],
  ['content-digest', `sha-256=:${other}:`],
  ['repr-digest', `sha-256=:${other}:`],
] as const)('a %s of other bytes is refused', async ([name, value]) => {
  const { status, json } = await score({ [name]: value });
  expect([status, json]).toEqual([400, expect.objectContaining({ error: expect.objectContaining({ target: name }) })]);
  expect(json['detail']).toMatch(
    /^The 21 bytes that arrived have the \w+ \S+, and \S+ claims \S+\. Send the request again\.$/,
  );
});

test.for([
  ['content-md5', 'no base64!'],
  ['digest', 'sha-256'],
  ['digest', 'unixsum=30637'],
  ['content-digest', `sha-256=${digestOf('sha256')}`],
  ['content-digest', 'crc32c=:AAAA:'],
  ['content-digest', Array.from({ length: 5 }, () => `sha-256=:${digestOf('sha256')}:`).join()],
  ['repr-digest', ''],
] as const)('%s: %s, which nobody can compare, is refused', async ([name, value]) => {
  const { status, json } = await score({ [name]: value });
  expect([status, json['error']]).toEqual([400, expect.objectContaining({ code: 'invalid-header', target: name })]);
});

test.for(['gzip', 'br', 'identity, gzip', ''])(
  'a body in the content encoding "%s" is refused unread',
  async (encoding) => {
    const { status, headers, json } = await score({ 'content-encoding': encoding });
    expect([status, json['error']]).toEqual([415, expect.objectContaining({ code: 'unsupported-encoding' })]);
    expect(headers.get('accept-encoding')).toBe('identity');
  },
);

test('a body in the content encoding identity is as it is', async () => {
  expect((await score({ 'content-encoding': 'Identity' })).status).toBe(200);
});
