/** What the routes of samples say of pictures. */
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { expect, test } from 'vitest';
import { keyDocument, newKey } from '../../../../shared/key/secret.ts';
import { api } from '../../../../functions/http/api/api.ts';
import { mount } from '../../../../functions/http/mount.ts';
import { nearDuplicatesView, sampleView, uploadView } from '../../../../shared/api/views/dataset.ts';
import type { SampleDocument } from '../../../../shared/sample/document.ts';
import type { UploadDocument } from '../../../../shared/upload/document.ts';
import { uploadPartition } from '../../../../shared/upload/name.ts';
import { name, projectIn, sampleOf } from '../../../shared/dataset/committing.ts';
import { createFakes, type Fakes } from '../../../simulation/fakes.ts';

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

/** GETs a path of the project. */
function reader(world: Fakes): (route: string, path: string) => Promise<unknown> {
  const handlers = new Map<string, Handler>();
  mount(
    { http: (route, { handler }) => void handlers.set(route, handler as unknown as Handler) },
    { ...world.ports, score: () => Promise.reject(new Error('nothing is scored here')) },
    [api],
  );
  const key = newKey(Buffer.alloc(32, 1));
  world.put('keys', keyDocument(key, { name: 'k', role: 'viewer', project: name }, '2026-03-01T00:00:00.000Z'));
  return async (route, path) => {
    const headers = new Headers({ 'x-api-key': key });
    const request = { method: 'GET', url: `http://a/api/v1/projects/${name}/${path}`, headers, body: null };
    const context = { invocationId: 'i' } as InvocationContext;
    const answer = await handlers.get(`api-${route}`)?.(request as unknown as HttpRequest, context);
    expect(answer?.status).toBe(200);
    return JSON.parse(answer?.body as string) as unknown;
  };
}

test('near duplicates are listed with their splits and labels, leaks first, as many as asked for', async () => {
  const world = createFakes();
  projectIn(world);
  const at = '2026-03-01T00:00:00.000Z';
  const looking = (n: number, perceptualHash: string, more: Partial<SampleDocument> = {}): SampleDocument => ({
    ...{ ...sampleOf(n), createdAt: at, perceptualHash },
    ...more,
  });
  world.put('samples', looking(1, '00000000000000ff'));
  world.put('samples', looking(2, '00000000000000fe'));
  world.put('samples', looking(3, '00000000000000f0', { split: 'test', annotation: { label: 'b' } }));
  world.put('samples', looking(4, 'ffffffff00000000'));
  world.put('samples', { ...sampleOf(5), createdAt: at });
  const get = reader(world);
  const all = nearDuplicatesView.parse(await get('near-duplicates-list', 'near-duplicates'));
  expect(all).toMatchObject({ found: 2, compared: 4, complete: true });
  expect(all.value.map(({ distance, samples }) => [distance, samples.map(({ split }) => split).sort()])).toEqual([
    [3, ['test', 'train']],
    [1, ['train', 'train']],
  ]);
  const one = nearDuplicatesView.parse(await get('near-duplicates-list', 'near-duplicates?limit=1'));
  expect([one.value.length, one.found]).toEqual([1, 2]);
});

test('what was found about a file is shown with its upload and its sample; of older ones nothing is known', async () => {
  const world = createFakes();
  projectIn(world);
  const warnings = [{ code: 'narrow-range', detail: 'Twelve of sixteen bits.' }];
  const found = { trailingBytes: 512, declaredType: 'image/png', warnings };
  const at = '2026-03-01T00:00:00.000Z';
  const uploadOf = (id: string): UploadDocument => ({
    ...{ id, pk: uploadPartition(name, id), project: name, blob: `${name}/a/${id}`, etag: 'e', status: 'accepted' },
    ...{ reason: null, sample: null, annotation: { label: 'a' }, receivedAt: at, finishedAt: at, traceparent: null },
  });
  const [before, now] = ['u'.padEnd(32, '1'), 'u'.padEnd(32, '2')] as [string, string];
  world.put('uploads', uploadOf(before));
  world.put('uploads', { ...uploadOf(now), ...found });
  world.put('samples', { ...sampleOf(1), createdAt: at });
  world.put('samples', { ...sampleOf(2), createdAt: at, ...found, pixelDigest: 'd', perceptualHash: 'e' });
  const get = reader(world);
  const none = { trailingBytes: 0, declaredType: null, warnings: [] };
  expect(uploadView.parse(await get('uploads-get', `uploads/${before}`))).toMatchObject(none);
  expect(uploadView.parse(await get('uploads-get', `uploads/${now}`))).toMatchObject(found);
  const older = sampleView.parse(await get('samples-get', `samples/${sampleOf(1).id}`));
  expect(older).toMatchObject({ ...none, pixelDigest: null, perceptualHash: null });
  const newer = sampleView.parse(await get('samples-get', `samples/${sampleOf(2).id}`));
  expect(newer).toMatchObject({ ...found, pixelDigest: 'd', perceptualHash: 'e' });
});
