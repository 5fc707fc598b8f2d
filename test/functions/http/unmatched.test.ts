/** What no route answers, and links that no request bends. */
import { expect, test } from 'vitest';
import { api } from '../../../functions/http/api/api.ts';
import { mounted } from '../../../functions/http/surface.ts';
import { createBackend } from './backend.ts';

const ask = async (method: string, path: string) => createBackend().send(method, path, {});

test('a path that is none is a problem that says where paths begin and what lists them', async () => {
  for (const path of [
    '/v1/projcts',
    '/v2/projects',
    '/v1/projects/digits/nothing',
    '/v1/projects/a/b/c/d',
    '/x'.repeat(999),
  ]) {
    const { status, headers, json } = await ask('GET', path);
    expect([status, headers.get('content-type'), headers.get('x-ms-error-code')], path).toEqual([
      ...[404, 'application/problem+json', 'unknown-path'],
    ]);
    expect(json).toMatchObject({ requestId: 'i', detail: expect.stringContaining('/api/openapi.json') });
    expect(JSON.stringify(json).length).toBeLessThan(2000);
  }
  expect((await ask('GET', '/projects')).json).toMatchObject({ detail: expect.stringContaining('begin with /api/v1') });
});

test('a method that a path does not take is a 405 that allows what it does, for every path', async () => {
  const routes = mounted(api);
  const paths = [...new Set(routes.map(({ path }) => path))];
  for (const path of paths) {
    const taken = routes.filter((route) => route.path === path).map(({ route }) => route.method as string);
    const asked = path.replace('/api', '').replaceAll(/\{\w+\}/g, 'digits');
    for (const method of ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'].filter((one) => !taken.includes(one))) {
      const { status, headers, json } = await ask(method, asked);
      // some paths are those of another route as well: `diff/{from}` ...
      expect([status, json], `${method} ${asked}`).toMatchObject([405, { error: { code: 'method-not-allowed' } }]);
      expect(headers.get('allow')?.split(', ')).toEqual(expect.arrayContaining(taken));
    }
  }
});

test('the front page says what this is and where its description is, without a key', async () => {
  for (const path of ['/../', '', '/', '/v1/?x=1'])
    expect(await ask('GET', path), path).toMatchObject({
      status: 200,
      json: { name: 'Darkroom', description: '/api/openapi.json' },
    });
  expect((await ask('POST', '/../')).json).toMatchObject({ detail: expect.stringContaining('/ takes GET, not POST') });
});

test('a form that is sent to be scored is told how to send the image alone', async () => {
  const headers = { 'content-type': 'multipart/form-data; boundary=x' };
  const { send } = createBackend();
  const { status, json } = await send('POST', '/v1/projects/digits/score', { body: '--x', headers });
  expect([status, json]).toMatchObject([415, { detail: expect.stringContaining('--data-binary') }]);
});

test('links in answers follow no Host header: they begin with the path, or with the address of the settings', async () => {
  for (const publicUrl of [undefined, 'https://darkroom.example']) {
    const { send, world } = createBackend(publicUrl === undefined ? {} : { publicUrl });
    world.put('projects', { id: 'digits', pk: 'projects' } as never);
    for (const n of [1, 2]) world.put('events', { id: `e${n}`, pk: 'digits', at: `2026-01-0${n}` } as never);
    const { json } = await send('GET', '/v1/projects/digits/events?limit=1', { headers: { host: 'evil.example' } });
    expect((json as { nextLink: string }).nextLink).toMatch(
      new RegExp(`^${publicUrl ?? ''}/api/v1/projects/digits/events\\?limit=1&continuation=`),
    );
  }
});
