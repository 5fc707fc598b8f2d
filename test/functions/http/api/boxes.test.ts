/** Boxes at the routes: a project of detectors, and samples that are annotated by review. */
import { expect, test } from 'vitest';
import { name, sampleOf } from '../../../shared/dataset/committing.ts';
import { createBackend } from '../backend.ts';

const path = `/v1/projects/${name}`;
const sample = `${path}/samples/${sampleOf(1).id}`;
const cat = { class: 'cat', x: 10, y: 20, width: 30, height: 40 };
const dog = { class: 'dog', x: 1, y: 2, width: 3, height: 4 };

/** A project of detectors, made over HTTP, with one sample of 64 x 64 pixels that waits for review. */
async function withSample() {
  const backend = createBackend();
  const made = await backend.send('PUT', path, { body: { task: 'detection', classes: ['cat', 'dog'] } });
  const picture = { width: 64, height: 64, annotation: null, source: null, revision: 0 };
  backend.world.put('samples', { ...sampleOf(1), ...picture });
  const put = (boxes: unknown) => backend.send('PUT', `${sample}/annotation`, { body: { boxes } });
  return { ...backend, made, put };
}

test('a project of detectors is made, with a gate and a trainer of its kind, and keeps its kind', async () => {
  const { made, send } = await withSample();
  expect(made).toMatchObject({
    status: 201,
    json: { settings: { task: 'detection', trainer: { name: 'centernet' }, gate: { metric: 'ap50', minimum: 0.5 } } },
  });
  const patched = await send('PATCH', path, { body: { gate: { metric: 'ap', minimum: 0.3 } } });
  expect(patched).toMatchObject({ status: 200, json: { settings: { gate: { metric: 'ap', minimum: 0.3 } } } });
  expect(await send('PATCH', path, { body: { task: 'classification' } })).toMatchObject({ status: 400 });
  expect(await send('PATCH', path, { body: { gate: { minimumRecall: 0.5 } } })).toMatchObject({ status: 400 });
});

test('boxes are kept in their one order, shown, staged, and the same ones change nothing', async () => {
  const { put, send, world } = await withSample();
  const annotation = { boxes: [cat, dog] };
  expect(await put([dog, cat])).toMatchObject({ status: 200, json: { annotation, source: 'review' } });
  expect((await put([cat, { ...dog, x: 1.001 }])).status).toBe(200);
  expect((await send('GET', sample)).json).toMatchObject({ annotation });
  expect(world.all('samples').map(({ revision }) => revision)).toEqual([1]);
  expect(world.all('staged')).toHaveLength(1);
});

test('no boxes is an annotation: the sample waits for review no more', async () => {
  const { put, send } = await withSample();
  const waiting = async () => (await send('GET', `${path}/samples?unlabelled=true`)).json;
  expect(await waiting()).toMatchObject({ value: [{ annotation: null }] });
  expect(await put([])).toMatchObject({ status: 200, json: { annotation: { boxes: [] } } });
  expect(await waiting()).toMatchObject({ value: [] });
});

test.each([
  ['of a class that the project does not have', 'unknown-class', 'annotation', [{ ...cat, class: 'cow' }]],
  ['outside of the picture', 'invalid-body', 'annotation', [{ ...cat, x: 60 }]],
  ['without a width', 'invalid-body', 'annotation.boxes.0.width', [{ ...cat, width: 0 }]],
  ['twice', 'invalid-body', 'annotation.boxes', [cat, cat]],
  ['that are no list', 'invalid-body', 'annotation.boxes', 'none'],
])('boxes %s are refused where they are wrong', async (_what, code, target, boxes) => {
  const { put, world } = await withSample();
  expect(await put(boxes)).toMatchObject({ status: 400, json: { error: { code, target } } });
  expect(world.all('samples')[0]).toMatchObject({ annotation: null, revision: 0 });
});

test('a label is no annotation of a detector', async () => {
  const { send } = await withSample();
  expect(await send('PUT', `${sample}/label`, { body: { label: 'cat' } })).toMatchObject({ status: 400 });
});
