/** Labels at the routes: one normal form by every way in, and no name that is dropped in silence. */
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { beforeEach, describe, expect, test } from 'vitest';
import { keyDocument, newKey } from '../../../../shared/key/secret.ts';
import { api } from '../../../../functions/http/api/api.ts';
import { mount } from '../../../../functions/http/mount.ts';
import { readUploadName } from '../../../../shared/upload/name.ts';
import { committed, look, name, projectIn, sampleOf } from '../../../shared/dataset/committing.ts';
import { createFakes, type Fakes } from '../../../simulation/fakes.ts';
import { classification } from '../../../../shared/task/classification/classification.ts';

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

let world: Fakes;
let handlers: Map<string, Handler>;
const key = newKey(Buffer.alloc(32, 1));

beforeEach(() => {
  world = createFakes();
  handlers = new Map();
  mount(
    { http: (route, { handler }) => void handlers.set(route, handler as unknown as Handler) },
    { ...world.ports, score: () => Promise.reject(new Error('nothing is scored here')) },
    [api],
  );
  world.put('keys', keyDocument(key, { name: 'k', role: 'operator', project: '*' }, '2026-03-01T00:00:00.000Z'));
});

async function* chunks(body: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(body);
}

async function call(route: string, path: string, body?: string): Promise<{ status: number; json: never }> {
  const method = route.includes('-put') || route.includes('-label') ? 'PUT' : body === undefined ? 'GET' : 'POST';
  const request = {
    ...{
      method,
      url: `http://a/api/v1/${path}`,
      headers: new Headers({ 'x-api-key': key, 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : chunks(body),
  };
  const context = { invocationId: 'i' } as InvocationContext;
  const answer = await handlers.get(`api-${route}`)?.(request as unknown as HttpRequest, context);
  return { status: answer?.status ?? 0, json: JSON.parse(answer?.body as string) as never };
}

describe('a label', () => {
  test.each([
    [' Cafe\u0301\u00a0', 'Café'],
    ['100%25', '100%25'],
    ['constructor', 'constructor'],
  ])('%j is %j by upload address, by review and in the settings', async (written, label) => {
    const classes = JSON.stringify({ classes: [written, 'b'] });
    const project = await call('projects-put', `projects/${name}`, classes);
    expect(project.json).toMatchObject({ settings: { classes: [label, 'b'] } });
    const files = JSON.stringify({ files: [{ name: 'a.png', label: written, contentType: 'image/png' }] });
    const urls = await call('upload-urls-post', `projects/${name}/upload-urls`, files);
    const [given] = (urls.json as { value: { blob: string }[] }).value;
    const { folder } = readUploadName(given?.blob ?? '');
    expect(classification.fromFolder(folder ?? '')).toEqual({ annotation: { label } });
    const sample = { ...sampleOf(1), annotation: null, source: null };
    world.put('samples', sample);
    const path = `projects/${name}/samples/${sample.id}/label`;
    const reviewed = await call('samples-label', path, JSON.stringify({ label: written }));
    expect(reviewed).toMatchObject({
      status: 200,
      json: { label, annotation: { label }, source: 'review', labelSource: 'review' },
    });
  });

  test('that is reserved is refused with the reason', async () => {
    for (const label of ['__proto__', '..', '']) {
      const answer = await call('projects-put', `projects/${name}`, JSON.stringify({ classes: [label, 'b'] }));
      expect(answer).toMatchObject({ status: 400, json: { error: { target: 'classes.0' } } });
    }
  });
});

test('a field called __proto__ is refused, however it is written, and never dropped', async () => {
  for (const field of ['__proto__', '\\u005f_proto__', '__pro\\u0074o__']) {
    const answer = await call('projects-put', `projects/${name}`, `{"trainer":{"parameters":{"${field}":1}}}`);
    expect(answer).toMatchObject({ status: 400, json: { error: { code: 'invalid-body', target: '__proto__' } } });
  }
  const kept = { trainer: { parameters: { constructor: 1, toString: 2, hasOwnProperty: '__proto__' } } };
  const answer = await call('projects-put', `projects/${name}`, JSON.stringify(kept));
  expect(answer).toMatchObject({ status: 201, json: { settings: kept } });
});

test('classes that differ only in case or width are warned of, in the project and once in the feed', async () => {
  const project = projectIn(world);
  const stage = async (n: number, label: string): Promise<void> => {
    world.put('samples', { ...sampleOf(n), annotation: null, source: null });
    await call('samples-label', `projects/${name}/samples/${sampleOf(n).id}/label`, JSON.stringify({ label }));
    world.pass(60);
    await look(world, 100);
  };
  await stage(1, 'Cat');
  await stage(2, 'ｃａｔ');
  await stage(3, 'dog');
  expect([...(await committed(world)).values()].sort()).toEqual(['Cat', 'dog', 'ｃａｔ']);
  const read = await call('projects-get', `projects/${project.id}`);
  const detail = expect.stringContaining('"Cat" and "ｃａｔ"') as string;
  expect((read.json as { warnings: unknown }).warnings).toEqual([{ code: 'look-alike-classes', detail }]);
  const texts = world.all('events').flatMap(({ type, text }) => (type === 'version.committed' ? [text] : []));
  expect(texts.map((text) => text.includes('differ only'))).toEqual([false, true, false]);
});
