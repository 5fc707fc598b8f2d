/** One more wire protocol is a value in a file of its own: the pipeline does for it what it does for the API. */
import { expect, test } from 'vitest';
import { mounted } from '../../../functions/http/surface.ts';
import { createBackend } from './backend.ts';
import { notesSurface } from './second-surface.ts';

const at = (path: string): string => `/../wire/2.0/notes/${path}`;

function start() {
  const backend = createBackend({ publicUrl: 'https://d.example' }, [notesSurface]);
  const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`anybody:${key}`).toString('base64')}` });
  const send = (method: string, path: string, body?: unknown, key = backend.key, headers = {}) =>
    backend.send(method, path, { key: '', body, headers: { ...basic(key), ...headers } });
  return { ...backend, send };
}

test('PATCH and DELETE, names of its own in paths, bodies, links below its prefix, and a path outside of it', async () => {
  const { send } = start();
  expect(await send('PATCH', at('digits/todo'), { text: 'look at 4 and 9' })).toMatchObject({
    status: 200,
    json: { text: 'look at 4 and 9', by: 'owner', self: 'https://d.example/wire/2.0/notes/digits/todo' },
  });
  expect((await send('GET', at('digits/todo'))).json).toEqual({ text: 'look at 4 and 9' });
  expect((await send('DELETE', at('digits/todo'), { seen: 'look at 4 and 9' })).status).toBe(200);
  expect((await send('GET', at('digits/todo'))).status).toBe(404);
  expect(await send('GET', '/../version', undefined, '')).toMatchObject({ status: 200, text: '2.0' });
});

test('whatever goes wrong in any step has the shape and the status that its clients know', async () => {
  const { send, keyOf, errors } = start();
  const viewer = keyOf(2, { role: 'viewer', project: 'digits' });
  await send('PATCH', at('digits/todo'), { text: 'a' });
  const wrong = async (...call: Parameters<typeof send>) => {
    const { status, json, headers } = await send(...call);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('x-notes')).toBe('error');
    expect(Object.keys(json as object)).toEqual(['error_code', 'message']);
    return [status, (json as { error_code: string }).error_code];
  };
  expect(await wrong('GET', at('digits/todo'), undefined, 'dk_wrong')).toEqual([401, 'UNAUTHORIZED']);
  expect(await wrong('PATCH', at('digits/todo'), { text: 'b' }, viewer)).toEqual([403, 'FORBIDDEN']);
  expect(await wrong('GET', at('other/todo'), undefined, viewer)).toEqual([403, 'FORBIDDEN']);
  expect(await wrong('GET', at('digits/no-note'))).toEqual([400, 'INVALID_PATH']);
  expect(await wrong('PATCH', at('digits/todo'), { texts: 'b' })).toEqual([400, 'INVALID_BODY']);
  expect(await wrong('PATCH', at('digits/todo'), '{')).toEqual([415, 'UNSUPPORTED_TYPE']);
  expect(await wrong('DELETE', at('digits/todo'), { seen: 'b' })).toEqual([409, 'NOTE_CHANGED']);
  expect(await wrong('PUT', at('digits/todo'), {})).toEqual([405, 'METHOD_NOT_ALLOWED']);
  expect(await wrong('OPTIONS', at('digits/todo'))).toEqual([405, 'METHOD_NOT_ALLOWED']);
  expect(await wrong('GET', at('a/b/c'))).toEqual([404, 'ENDPOINT_NOT_FOUND']);
  const once = { 'idempotency-key': 'k' };
  await send('PATCH', at('digits/todo'), { text: 'c' }, undefined, once);
  const again = await wrong('PATCH', at('digits/todo'), { text: 'd' }, undefined, once);
  expect(again).toEqual([409, 'IDEMPOTENCY_KEY_REUSED']);
  expect(errors).toEqual([]);
});

test('a 401 asks for its credentials and says how to send them; limits are told and kept as everywhere', async () => {
  const { send } = start();
  const { headers, json } = await send('GET', at('digits/todo'), undefined, '');
  expect(headers.get('www-authenticate')).toBe('Basic realm="notes"');
  expect(json).toMatchObject({ message: 'Send the key as the password.' });
  expect((await send('GET', at('digits/x'))).headers.get('ratelimit')).toMatch(/"key";r=\d+;t=1, "project";r=/);
});

test('the API is as it was: its errors, its front page, its key in its header', async () => {
  const { send, key } = createBackend({}, [notesSurface]);
  expect((await send('GET', '/v1/nothing')).headers.get('content-type')).toBe('application/problem+json');
  expect((await send('GET', '/../nothing')).json).toMatchObject({ error: { code: 'unknown-path' } });
  expect((await send('GET', '/../')).json).toMatchObject({ name: 'Darkroom' });
  expect((await send('GET', '/v1/projects', { key })).status).toBe(200);
});

test('a name in a path that nothing would check does not start', () => {
  const [first] = notesSurface.routes;
  const routes = [{ ...first, path: '{anything}' }] as typeof notesSurface.routes;
  expect(() => mounted({ ...notesSurface, routes })).toThrow(
    'the path /wire/2.0/notes/{anything} has the name anything',
  );
});
