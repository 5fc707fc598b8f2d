/** Annotations at the routes, of a task kind whose annotations are no labels. */
import { expect, test } from 'vitest';
import * as z from 'zod';
import { classification } from '../../../../shared/task/classification/classification.ts';
import { type Annotation, kinds, type TaskKind } from '../../../../shared/task/task.ts';
import { projectSettings } from '../../../../shared/project/settings.ts';
import { name, sampleOf } from '../../../shared/dataset/committing.ts';
import { createBackend } from '../backend.ts';

const point = z.strictObject({ x: z.number().min(0), y: z.number().min(0), of: z.string() });
const points: TaskKind = {
  ...classification,
  ...{ name: 'points', annotation: point },
  canonical: ({ x, y, of }: Annotation) => JSON.stringify({ x, y, of }),
  counts: ({ of }: Annotation) => [[String(of), 1]],
  brief: ({ of }: Annotation) => String(of),
  fieldsOf: (annotation: Annotation | null) => ({
    at: annotation === null ? null : [annotation['x'], annotation['y']],
  }),
  filter: () => undefined,
  toFolder: () => undefined,
};
kinds.set(points.name, points);

const path = `/v1/projects/${name}`;
const sample = `${path}/samples/${sampleOf(1).id}`;

function withSample() {
  const backend = createBackend();
  const settings = { ...projectSettings.parse({ classes: ['left', 'right'] }), task: 'points' };
  backend.world.put('projects', { id: name, pk: 'projects', settings, createdAt: '', updatedAt: '' });
  backend.world.put('samples', { ...sampleOf(1), annotation: null, source: null, revision: 0 });
  const put = (annotation: unknown) => backend.send('PUT', `${sample}/annotation`, { body: annotation });
  return { ...backend, put };
}

test('one is set by review in the form of its kind, staged, and shown in the words of the kind', async () => {
  const { put, send, world } = withSample();
  const annotation = { x: 1, y: 2, of: 'left' };
  expect(await put(annotation)).toMatchObject({ status: 200, json: { annotation, source: 'review', at: [1, 2] } });
  expect((await send('GET', sample)).json).toMatchObject({ annotation, at: [1, 2] });
  expect((await send('GET', sample)).json).not.toHaveProperty('label');
  expect(world.all('staged').map(({ revision }) => revision)).toEqual([1]);
});

test('the same one, written in another order, changes nothing', async () => {
  const { put, world } = withSample();
  await put({ x: 1, y: 2, of: 'left' });
  expect((await put({ of: 'left', y: 2, x: 1 })).status).toBe(200);
  expect(world.all('samples').map(({ revision }) => revision)).toEqual([1]);
});

test('one of another form, or of a class that the project does not have, is refused where it is wrong', async () => {
  const { put, send, world } = withSample();
  const refusal = (code: string, target: string) => ({ status: 400, json: { error: { code, target } } });
  expect(await put({ x: -1, y: 2, of: 'left' })).toMatchObject(refusal('invalid-body', 'annotation.x'));
  expect(await put({ label: '7' })).toMatchObject({ status: 400, json: { error: { code: 'invalid-body' } } });
  expect(await put([1, 2])).toMatchObject({ status: 400 });
  expect(await put({ x: 1, y: 2, of: 'up' })).toMatchObject(refusal('unknown-class', 'annotation'));
  const label = await send('PUT', `${sample}/label`, { body: { label: 'left' } });
  expect(label).toMatchObject({ status: 400, json: { error: { code: 'invalid-body' } } });
  expect(world.all('samples')[0]).toMatchObject({ annotation: null, revision: 0 });
});

test('samples of a kind without labels cannot be looked for by one, and no name of a file tells their annotation', async () => {
  const { send } = withSample();
  const listed = await send('GET', `${path}/samples?label=left`);
  expect(listed).toMatchObject({ status: 400, json: { error: { code: 'invalid-query', target: 'label' } } });
  expect(await send('GET', `${path}/samples?unlabelled=true`)).toMatchObject({ json: { value: [{ at: null }] } });
  const files = [{ name: 'a.png', contentType: 'image/png', annotation: { x: 1, y: 2, of: 'left' } }];
  const urls = await send('POST', `${path}/upload-urls`, { body: { files } });
  expect(urls).toMatchObject({ status: 400, json: { error: { target: 'files.0.annotation' } } });
  const beside = { files: [{ name: 'a.png.json', contentType: 'application/json' }] };
  const refused = await send('POST', `${path}/upload-urls`, { body: beside });
  expect(refused).toMatchObject({ status: 400, json: { error: { target: 'files.0.contentType' } } });
});
