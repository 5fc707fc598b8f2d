/** Settings of a project by PUT and PATCH; null for what may be left out. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type * as z from 'zod';
import { mergePatch, patchOf, withoutNulls } from '../../../../shared/api/merge-patch.ts';
import { projectView } from '../../../../shared/api/views/project.ts';
import { classification } from '../../../../shared/task/classification/classification.ts';
import { projectSettings, settingsOf as settingsOfKind } from '../../../../shared/project/settings.ts';
import { createBackend } from '../backend.ts';

const path = '/v1/projects/digits';
const settingsOf = (json: unknown) => projectView.parse(json).settings;

async function withProject(settings: object) {
  const backend = createBackend();
  const { status, headers } = await backend.send('PUT', path, { body: settings });
  expect(status).toBe(201);
  const patch = (body: unknown, more = {}) => backend.send('PATCH', path, { body, headers: more });
  return { ...backend, patch, etag: headers.get('etag') ?? '' };
}

test('a patch changes what it names and wipes nothing else; null resets one setting', async () => {
  const mine = {
    classes: ['a', 'b'],
    gate: { minimum: 0.9, approval: 'manual' },
    image: { width: 32, height: 32, channels: 1 },
  };
  const { patch } = await withProject(mine);
  const manual = await patch({ deploy: { mode: 'manual' } });
  expect(manual.status).toBe(200);
  expect(settingsOf(manual.json)).toMatchObject({ ...mine, deploy: { mode: 'manual' } });
  const reset = await patch({ deploy: { mode: null }, gate: { minimum: null }, image: null });
  expect(settingsOf(reset.json)).toMatchObject({
    ...{ classes: ['a', 'b'], deploy: { mode: 'automatic' }, gate: { minimum: 0.8, approval: 'manual' }, image: null },
  });
});

test('a patch is merge-patch or plain JSON; no other type, and no part of it that is no setting', async () => {
  const { patch, send } = await withProject({});
  const type = { 'content-type': 'application/merge-patch+json' };
  expect((await patch({ gate: { minimum: 0.5 } }, type)).status).toBe(200);
  for (const body of [
    { gait: null },
    { gate: { minimun: null } },
    { gate: { minimum: 7 } },
    [],
    'x',
    null,
    { gate: 1 },
  ])
    expect((await patch(JSON.stringify(body), type)).status, JSON.stringify(body)).toBe(400);
  expect((await send('PATCH', path)).status).toBe(400);
  expect((await patch('{}', { 'content-type': 'text/plain' })).status).toBe(415);
  expect((await send('PATCH', '/v1/projects/other', { body: {} })).status).toBe(404);
});

test('a patch that would leave settings which cannot be is refused, and changes nothing', async () => {
  const { patch, send } = await withProject({ classes: ['a', 'b'] });
  expect((await patch({ deploy: { canary: { percent: 10 } } })).json).toMatchObject({
    error: { code: 'invalid-body', target: expect.stringContaining('deploy.canary') },
  });
  expect(settingsOf((await send('PUT', path, { body: { classes: ['a', 'b'] } })).json).deploy.canary).toBeNull();
});

test('a patch with If-Match is for what was seen; one without goes on top of what others changed meanwhile', async () => {
  const backend = await withProject({});
  expect((await backend.patch({ gate: { minimum: 0.6 } }, { 'if-match': '"old"' })).status).toBe(412);
  expect((await backend.patch({ gate: { minimum: 0.6 } }, { 'if-match': backend.etag })).status).toBe(200);
  let interfered = false;
  backend.world.before = async (operation, container) => {
    if (operation !== 'documents.replace' || container !== 'projects' || interfered) return;
    interfered = true;
    const found = await backend.world.read('projects', 'projects', 'digits');
    if (found) backend.world.put('projects', { ...found, settings: { ...found.settings, classes: ['x', 'y'] } });
  };
  const answer = await backend.patch({ gate: { minimum: 0.7 } });
  expect(settingsOf(answer.json)).toMatchObject({ classes: ['x', 'y'], gate: { minimum: 0.7 } });
});

test('settings that a patch does not change are saved by nobody', async () => {
  const { patch, etag } = await withProject({ gate: { minimum: 0.7 } });
  expect((await patch({ gate: { minimum: 0.7 } })).headers.get('etag')).toBe(etag);
  expect((await patch({})).headers.get('etag')).toBe(etag);
});

test('null for any setting that may be left out means that it is, however deep', async () => {
  const nulls = (shape: z.ZodObject): object =>
    Object.fromEntries(Object.entries(shape.shape).map(([name]) => [name, null]));
  const { send } = createBackend();
  const all = await send('PUT', path, { body: nulls(settingsOfKind(classification)) });
  expect([all.status, settingsOf(all.json)]).toEqual([201, projectSettings.parse({})]);
  const deep = {
    gate: { minimum: null },
    trainer: { parameters: { epochs: null, seed: 1 } },
    deploy: { canary: null },
  };
  const put = await send('PUT', '/v1/projects/deep', { body: deep });
  expect(settingsOf(put.json)).toMatchObject({ gate: { minimum: 0.8 }, trainer: { parameters: { seed: 1 } } });
  const asked = { files: [{ name: 'a.png', label: null, contentType: 'image/png' }] };
  expect((await send('POST', `${path}/upload-urls`, { body: asked })).status).toBe(200);
  expect((await send('POST', `${path}/scrub`, { body: { from: null, limit: null } })).status).toBe(200);
  const training = { version: null, trainer: { name: null, parameters: null }, seed: null, reason: null };
  expect((await send('POST', `${path}/trainings`, { body: training })).headers.get('x-ms-error-code')).toBe(
    'no-version',
  );
  expect((await send('POST', `${path}/upload-urls`, { body: { files: null } })).status).toBe(400);
});

test('a body without JSON as its type is told which header to send', async () => {
  const { send } = createBackend();
  for (const type of [
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'text/plain',
    'image/png',
  ]) {
    const { status, json } = await send('PUT', path, { body: '{}', headers: { 'content-type': type } });
    expect([status, json], type).toMatchObject([
      415,
      { detail: expect.stringContaining('content-type: application/json') },
    ]);
  }
  expect((await send('PUT', path, { body: Buffer.from('{}') })).status).toBe(415);
  const utf8 = { 'content-type': 'application/json; charset=utf-8' };
  expect((await send('PUT', path, { body: '{}', headers: utf8 })).status).toBe(201);
});

const json = fc.jsonValue({ maxDepth: 4 });

test('merge patch: RFC 7396, appendix A', () => {
  const cases: [unknown, unknown, unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, merged] of cases) expect(mergePatch(target, patch)).toEqual(merged);
});

test('a patch made twice is made once, and leaves no null of its own', () => {
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const once = mergePatch(target, patch);
      expect(mergePatch(once, patch)).toEqual(once);
      if (typeof target !== 'object') expect(mergePatch(target, patch)).toEqual(mergePatch({}, patch));
    }),
  );
  fc.assert(
    fc.property(json, (value) => {
      expect(withoutNulls(withoutNulls(value))).toEqual(withoutNulls(value));
    }),
  );
});

test('a patch may say every member of settings, and null of it', () => {
  const type = patchOf(projectSettings);
  const all = projectSettings.parse({
    deploy: { canary: { percent: 1, minRequests: 1, maxErrorRate: 0, durationSeconds: 1 } },
  });
  expect(type.safeParse(all).success).toBe(true);
  for (const name of Object.keys(all)) expect(type.safeParse({ [name]: null }).success, name).toBe(true);
  expect(type.parse({})).toEqual({});
});
