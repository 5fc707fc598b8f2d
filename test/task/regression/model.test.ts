/** Real models of the second kind: read, tried, run and decoded by the same code as classifiers. */
import { placementOf } from '../../../shared/image/placement.ts';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodeModel, type OnnxModel } from '../../../shared/onnx/encode.ts';
import { createModelCheck } from '../../../shared/onnx/model-check.ts';
import { createModelCache } from '../../../shared/onnx/session.ts';
import { createModelWorkers } from '../../../shared/onnx/workers.ts';
import { tinyModel } from '../../shared/onnx/tiny-model.ts';
import { regression } from './regression.ts';

const image = { channels: 1, height: 2, width: 2 };
const ends = regression.ends([], image);
const check = createModelCheck({ timeoutMs: 20_000, maxMemoryBytes: 1e9 });

/** Flatten and dense: the weighted sum of four pixels. */
function model(weight: number, change: Partial<OnnxModel> = {}): Buffer {
  const tiny = tinyModel(0, { ...image, classes: 1 });
  const weights = { name: 'weights', dims: [4, 1], data: new Float32Array(4).fill(weight) };
  const nodes = [...tiny.nodes.slice(0, 2), { op: 'Identity', inputs: ['logits'], outputs: ['value'] }];
  const initialisers = [weights, ...tiny.initialisers.slice(1)];
  const outputs = [{ name: 'value', shape: ['N', 1] }];
  return Buffer.from(encodeModel({ ...tiny, nodes, outputs, initialisers, ...change }));
}

test('a model that answers a number is taken, run and decoded', async () => {
  const bytes = model(0.25);
  expect(await check(bytes, ends)).toMatchObject({ ok: true });
  const workers = createModelWorkers(1);
  const cache = createModelCache(workers, { owner: 'test', maxBytes: 1e8, keepsRunMemory: true });
  const digest = createHash('sha256').update(bytes).digest('hex');
  const images = [Float32Array.of(1, 2, 3, 4), new Float32Array(4).fill(3e38)];
  const answers = await cache.run(digest, () => Promise.resolve(bytes), images, ends);
  const decoded = answers.map((outputs) =>
    regression.decode({
      outputs,
      classes: [],
      metadata: {},
      placement: placementOf({ width: 8, height: 8 }, { width: 8, height: 8 }),
    }),
  );
  expect(decoded).toEqual([{ value: 2.5 }, null]);
  await cache.release();
  await workers.close();
});

test('a classifier is none, and says what a model of this kind has to answer', async () => {
  expect(await check(Buffer.from(encodeModel(tinyModel())), ends)).toMatchObject({
    reason: 'wrong-output',
    detail: expect.stringContaining(
      'expected one float tensor value [N, 1] with N left open, found probabilities (type 1) [N, 2]; export with output_names=["value"], the first dimension dynamic, one number',
    ),
  });
});

test('a model whose numbers cannot be is refused in the words of the kind', async () => {
  expect(await check(model(1e9), ends)).toMatchObject({
    reason: 'no-values',
    detail: expect.stringContaining('are not values'),
  });
  expect(await check(model(1e9), ends)).toMatchObject({ detail: expect.stringContaining('scale the last layer') });
});
