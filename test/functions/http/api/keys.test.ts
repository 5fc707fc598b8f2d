/** Keys over HTTP: listed, named, limited, given an end, rotated, revoked. */
import { expect, test } from 'vitest';
import * as z from 'zod';
import { madeKeyView } from '../../../../shared/api/views/key.ts';
import { keyId } from '../../../../shared/key/secret.ts';
import { type Backend, createBackend } from '../backend.ts';

const listed = z.object({ value: z.array(z.looseObject({ id: z.string(), name: z.string() })) });

async function make(backend: Backend, body: object, key = backend.key): Promise<z.infer<typeof madeKeyView>> {
  const { status, json } = await backend.send('POST', '/v1/keys', { key, body });
  expect(status).toBe(201);
  return madeKeyView.parse(json);
}

const statusOf = async ({ send }: Backend, key: string, path = '/v1/projects'): Promise<number> =>
  (await send('GET', path, { key })).status;

test('a key that is made works, is listed with its name and maker, and is shown once', async () => {
  const backend = createBackend();
  const made = await make(backend, { name: 'scanner 3', role: 'labeler', project: 'digits' });
  expect(made).toMatchObject({ id: keyId(made.key), role: 'labeler', project: 'digits', createdBy: 'owner' });
  expect(await statusOf(backend, made.key)).toBe(200);
  expect(await statusOf(backend, made.key, '/v1/projects/other/uploads')).toBe(403);
  const { text, json } = await backend.send('GET', '/v1/keys');
  expect(listed.parse(json).value.map(({ name }) => name)).toContain('scanner 3');
  expect(text).not.toContain(made.key.slice(3));
  expect(JSON.stringify(backend.world.all('keys'))).not.toContain(made.key.slice(3));
});

test('a key of one project sees, makes, changes and revokes keys of that project alone', async () => {
  const backend = createBackend();
  const own = backend.keyOf(2, { name: 'digits operator', project: 'digits' });
  const foreign = keyId(backend.keyOf(3, { name: 'foreign', project: 'other' })) ?? '';
  const made = await make(backend, { name: 'app', role: 'viewer' }, own);
  expect(made.project).toBe('digits');
  const { json } = await backend.send('GET', '/v1/keys', { key: own });
  expect(
    listed
      .parse(json)
      .value.map(({ name }) => name)
      .sort(),
  ).toEqual(['app', 'digits operator']);
  const beyond = { name: 'x', role: 'viewer', project: '*' };
  expect((await backend.send('POST', '/v1/keys', { key: own, body: beyond })).status).toBe(403);
  expect((await backend.send('PATCH', `/v1/keys/${made.id}`, { key: own, body: { project: '*' } })).status).toBe(403);
  expect((await backend.send('GET', '/v1/keys?project=other', { key: own })).status).toBe(403);
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/rotate'],
  ] as const) {
    const sent = method === 'GET' ? { key: own } : { key: own, body: {} };
    const answer = await backend.send(method, `/v1/keys/${foreign}${path}`, sent);
    expect([answer.status, answer.headers.get('x-ms-error-code')], method).toEqual([404, 'unknown-key']);
  }
  expect((await backend.send('DELETE', `/v1/keys/${made.id}`, { key: own })).status).toBe(200);
});

test('viewers and labelers manage no keys', async () => {
  const backend = createBackend();
  for (const role of ['viewer', 'labeler'] as const) {
    const key = backend.keyOf(4, { role });
    expect(await statusOf(backend, key, '/v1/keys')).toBe(403);
  }
});

test('a key is named, limited to a project and given an end; null takes the end away', async () => {
  const backend = createBackend();
  const made = await make(backend, { name: 'first', role: 'viewer' });
  const patch = (body: object, headers = {}) => backend.send('PATCH', `/v1/keys/${made.id}`, { body, headers });
  const ahead = new Date(backend.world.ports.clock.now().getTime() + 60_000).toISOString();
  const changed = await patch({ name: 'camera', project: 'digits', expiresAt: ahead });
  expect(changed.json).toMatchObject({ name: 'camera', project: 'digits', role: 'viewer', expiresAt: ahead });
  expect((await patch({ name: 'x' }, { 'if-match': '"old"' })).status).toBe(412);
  expect((await patch({ expiresAt: '2020-01-01T00:00:00Z' })).json).toMatchObject({ error: { target: 'expiresAt' } });
  for (const name of ['', ' ', 'two\nlines', ' x', 'x'.repeat(101)]) expect((await patch({ name })).status).toBe(400);
  expect((await patch({ expiresAt: null })).json).toMatchObject({ name: 'camera', expiresAt: null });
});

test('a key ends by itself, also while it is in use, and says that it has', async () => {
  const backend = createBackend();
  const expiresAt = new Date(backend.world.ports.clock.now().getTime() + 20_000).toISOString();
  const { key, id } = await make(backend, { name: 'guest', role: 'viewer', expiresAt });
  expect(await statusOf(backend, key)).toBe(200);
  backend.world.pass(20);
  const refused = await backend.send('GET', '/v1/projects', { key });
  expect([refused.status, refused.headers.get('x-ms-error-code')]).toEqual([401, 'key-expired']);
  expect((await backend.send('GET', `/v1/keys/${id}`)).json).toMatchObject({ state: 'expired' });
});

test('rotating leaves two keys that work, until the overlap is over', async () => {
  const backend = createBackend();
  const old = await make(backend, { name: 'app', role: 'viewer', project: 'digits' });
  const rotate = (body: object) => backend.send('POST', `/v1/keys/${old.id}/rotate`, { body });
  const { status, json } = await rotate({ overlapSeconds: 100 });
  const next = madeKeyView.parse(json);
  expect([status, next.name, next.role, next.project, next.expiresAt]).toEqual([201, 'app', 'viewer', 'digits', null]);
  expect([await statusOf(backend, old.key), await statusOf(backend, next.key)]).toEqual([200, 200]);
  expect((await backend.send('GET', `/v1/keys/${old.id}`)).json).toMatchObject({ replacedBy: next.id });
  backend.world.pass(100);
  expect([await statusOf(backend, old.key), await statusOf(backend, next.key)]).toEqual([401, 200]);
  expect((await rotate({ overlapSeconds: -1 })).status).toBe(400);
});

test('a key that is revoked while it is rotated leaves none behind', async () => {
  const backend = createBackend();
  const old = await make(backend, { name: 'leaked', role: 'operator' });
  let revoked = false;
  backend.world.before = async (operation, container) => {
    if (operation !== 'documents.create' || container !== 'keys' || revoked) return;
    revoked = true;
    await backend.world.ports.documents.remove('keys', old.id, old.id);
  };
  expect((await backend.send('POST', `/v1/keys/${old.id}/rotate`, { body: {} })).status).toBe(404);
  expect(backend.world.all('keys').map(({ name }) => name)).toEqual(['owner']);
});

test('a revoked key is gone; no key revokes itself', async () => {
  const backend = createBackend();
  const { id, key } = await make(backend, { name: 'gone', role: 'operator' });
  expect((await backend.send('DELETE', `/v1/keys/${id}`, { key })).json).toMatchObject({ error: { code: 'own-key' } });
  expect((await backend.send('DELETE', `/v1/keys/${id}`)).status).toBe(200);
  expect((await backend.send('DELETE', `/v1/keys/${id}`)).status).toBe(404);
  backend.world.pass(30);
  expect(await statusOf(backend, key)).toBe(401);
});

test('the day of the last use is kept, with one write for a day of any number of calls', async () => {
  const backend = createBackend();
  const { id, key } = await make(backend, { name: 'busy', role: 'viewer' });
  let writes = 0;
  backend.world.before = (operation, container) => {
    if (operation === 'documents.replace' && container === 'keys') writes++;
  };
  for (let call = 0; call < 20; call++) {
    expect(await statusOf(backend, key)).toBe(200);
    backend.world.pass(60);
  }
  expect(writes).toBe(1);
  const day = backend.world.ports.clock.now().toISOString().slice(0, 10);
  expect((await backend.send('GET', `/v1/keys/${id}`)).json).toMatchObject({ lastUsedOn: day });
  backend.world.pass(86_400);
  await statusOf(backend, key);
  expect(writes).toBe(2);
});

test('a use that cannot be noted delays and fails no answer', async () => {
  const backend = createBackend();
  const key = backend.keyOf(5, { name: 'unlucky' });
  backend.world.before = (operation) => {
    if (operation === 'documents.replace') return new Promise(() => undefined);
  };
  expect(await statusOf(backend, key)).toBe(200);
  backend.world.before = (operation) => {
    if (operation === 'documents.replace') throw new Error('the store is away');
  };
  const other = backend.keyOf(6, { name: 'unlucky too' });
  expect(await statusOf(backend, other)).toBe(200);
});

test('the same Idempotency-Key of two operators names two requests; of one whose key was rotated, the same', async () => {
  const backend = createBackend();
  backend.world.put('projects', { id: 'digits', pk: 'projects' } as never);
  backend.world.put('models', { id: '00000001', pk: 'digits', number: 1, state: 'approved' } as never);
  const deploy = async (key: string, model = 1): Promise<unknown> => {
    const headers = { 'idempotency-key': 'nightly' };
    const path = '/v1/projects/digits/endpoint/deploy';
    return (await backend.send('POST', path, { key, headers, body: { model } })).json;
  };
  const [anna, ben] = [backend.keyOf(7, { name: 'anna' }), backend.keyOf(8, { name: 'ben' })];
  const deployed = await deploy(anna);
  expect(deployed).toEqual({ deployment: expect.stringMatching(/^o-/) });
  expect(await deploy(ben)).not.toEqual(deployed);
  const rotated = await backend.send('POST', `/v1/keys/${keyId(anna)}/rotate`, { body: {} });
  const next = madeKeyView.parse(rotated.json).key;
  expect(await deploy(next)).toEqual(deployed);
  expect(await deploy(next, 2)).toMatchObject({ error: { code: 'idempotency-key-reused' } });
});
