/** A real detector: read, tried, run and decoded to boxes in pixels of the picture. */
import { createHash } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { placementOf } from '../../../../shared/image/placement.ts';
import { encodeModel, type OnnxModel } from '../../../../shared/onnx/encode.ts';
import { createModelCheck } from '../../../../shared/onnx/model-check.ts';
import { createModelCache } from '../../../../shared/onnx/session.ts';
import { createModelWorkers } from '../../../../shared/onnx/workers.ts';
import { detection } from '../../../../shared/task/detection/detection.ts';
import { tinyModel } from '../../onnx/tiny-model.ts';
import { paint, side, tinyClasses, tinyDetector } from './tiny-detector.ts';

const input = { channels: 3, height: side, width: side };
const ends = detection.ends(tinyClasses, input);
const check = createModelCheck({ timeoutMs: 20_000, maxMemoryBytes: 1e9 });
const workers = createModelWorkers(1);
const cache = createModelCache(workers, { owner: 'test', maxBytes: 1e8, keepsRunMemory: true });
afterAll(async () => {
  await cache.release();
  await workers.close();
});

/** What a model of the tiny detector's classes predicts for pictures that fill the left half of its input. */
async function predict(model: OnnxModel, scenes: Float32Array[], picture = { width: 128, height: 256 }) {
  const bytes = Buffer.from(encodeModel(model));
  const digest = createHash('sha256').update(bytes).digest('hex');
  const metadata = detection.metadata.parse(model.metadata);
  const placement = placementOf(picture, { ...input, fit: 'letterbox' });
  const answers = await cache.run(digest, () => Promise.resolve(bytes), scenes, ends);
  return answers.map((outputs) => detection.decode({ outputs, classes: tinyClasses, metadata, placement }));
}

const encoded = (model: OnnxModel): Buffer => Buffer.from(encodeModel(model));

test('a detector is taken, and its boxes are those of the picture, cut where they leave it', async () => {
  const model = tinyDetector({ shift: 4, sureness: [1, 0.5], metadata: { score_threshold: '0.4', nms_iou: '0.5' } });
  expect(await check(encoded(model), ends)).toEqual({ ok: true, metadata: model.metadata });
  const scene = paint([
    { colour: 'red', column: 1, row: 0 },
    { colour: 'green', column: 0, row: 3 },
  ]);
  expect(await predict(model, [scene, paint([])])).toEqual([
    {
      boxes: [
        { class: 'red', score: 1, x: 80, y: 16, width: 48, height: 64 },
        { class: 'green', score: 0.5, x: 16, y: 208, width: 64, height: 48 },
      ],
    },
    { boxes: [] },
  ]);
});

test('what lies in the grey beside the picture is no box of it', async () => {
  const beside = paint([{ colour: 'red', column: 3, row: 1 }]);
  expect(await predict(tinyDetector(), [beside])).toEqual([{ boxes: [] }]);
});

test('below its score threshold, 0.3 where it names none, a model answers nothing', async () => {
  const scene = [paint([{ colour: 'red', column: 0, row: 0 }])];
  expect(await predict(tinyDetector({ sureness: [0.29, 1] }), scene)).toEqual([{ boxes: [] }]);
  const named = tinyDetector({ sureness: [0.29, 1], metadata: { score_threshold: '.2' } });
  expect(await predict(named, scene)).toMatchObject([{ boxes: [{ score: 0.29 }] }]);
});

test('numbers that are none are no answer', async () => {
  const [nothing] = await predict(tinyDetector(), [paint([]).fill(Number.NaN)]);
  expect(nothing).toBeNull();
});

test('a classifier is none, and says what a detector has to answer', async () => {
  expect(await check(encoded(tinyModel(0, { ...input, classes: 2 })), ends)).toMatchObject({
    reason: 'wrong-output',
    detail: expect.stringContaining('expected 2 float tensors boxes [N, K, 4] and scores [N, K, 2] with N left open'),
  });
});

test('scores that are no shares are refused, and what to do about them is said', async () => {
  const model = tinyDetector();
  const logits = model.nodes.filter(({ op }) => op !== 'Clip');
  const reshaped = logits.map((node) => {
    const inputs = node.inputs.map((name) => (name === 'clipped' ? 'more' : name));
    return { ...node, inputs };
  });
  expect(await check(encoded({ ...model, nodes: reshaped }), ends)).toMatchObject({
    reason: 'no-scores',
    detail: expect.stringContaining('add a Sigmoid'),
  });
});

test('a model that looks at more places than 30,000 is refused', async () => {
  const outputs = [
    { name: 'boxes', shape: ['N', 30_001, 4] },
    { name: 'scores', shape: ['N', 30_001, 2] },
  ];
  expect(await check(encoded({ ...tinyDetector(), outputs }), ends)).toMatchObject({ reason: 'wrong-output' });
});

test.each([
  ['nms_iou', 'high', 'is no number'],
  ['score_threshold', '1.5', 'is more than 1'],
  ['score_threshold', 'nan', 'is no number'],
  ['nms_iou', '', 'is no number'],
])('a model whose %s is "%s" makes no sense', (name, text, why) => {
  const read = detection.metadata.safeParse({ [name]: text });
  expect(read.error?.issues[0]).toMatchObject({ path: [name], message: why });
});
