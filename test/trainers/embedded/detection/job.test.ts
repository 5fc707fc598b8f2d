import { createHash } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { expect, test } from 'vitest';
import { floatTensor, openGraph } from '../../../../shared/onnx/engine.ts';
import { validateModel } from '../../../../shared/onnx/validate.ts';
import { toPlacedTensor } from '../../../../shared/image/tensor.ts';
import { detectorEnds } from '../../../../shared/task/detection/ends.ts';
import { metadata } from '../../../../shared/task/detection/metadata.ts';
import { keptAnswer, departs } from '../../../../shared/task/detection/smoke.ts';
import { smokeFile, type JobDocument } from '../../../../shared/training/job-contract.ts';
import { byPicture } from '../../../../trainers/embedded/detection/fit.ts';
import { attempt, type AttemptOrder, type Subject } from '../../conformance/attempt.ts';
import { picturePath } from '../../conformance/job.ts';
import { reportsOf } from '../../conformance/judge.ts';
import type { Sample } from '../../conformance/samples.ts';
import { npmSubjects } from '../../conformance/subjects.ts';
import { shapeClasses, shapePicture } from './shapes.ts';

const image = { width: 128, height: 128, channels: 3 as const, fit: 'letterbox' as const };
const endSeconds = 120;

/** Pictures of shapes: so many to train and to validate with. */
const samplesOf = ([train, validation]: [number, number]): Promise<Sample[]> =>
  Promise.all(
    Array.from({ length: train + validation }, async (_, number): Promise<Sample> => {
      const { bytes, boxes } = await shapePicture(number);
      const md5 = createHash('md5').update(bytes).digest('hex');
      return { md5, bytes, annotation: { boxes }, split: number < train ? 'train' : 'validation' };
    }),
  );

/** Runs a job to its end. */
async function run(samples: readonly Sample[], change: Partial<JobDocument> = {}, prepare?: AttemptOrder['prepare']) {
  const subject: Subject = {
    ...(npmSubjects['embedded'] as Subject),
    ...{ task: 'detection', trainer: 'centernet', image },
    parameters: { epochs: 6, batchSize: 4, copies: 1, width: 16 },
  };
  const order: AttemptOrder = {
    samples,
    change: { classes: shapeClasses, heartbeatSeconds: 60, ...change },
    ...(prepare === undefined ? {} : { prepare }),
  };
  return attempt(subject, order, async (it) => {
    const { code } = await it.end(endSeconds);
    const output = (name: string): Buffer => it.storage.blobs.get(it.job.paths.outputs[name] ?? '') ?? Buffer.alloc(0);
    return { code, reports: reportsOf(it), output };
  });
}

test('trains a detector that finds what it was shown in pictures it was not, and writes the same bytes again', async () => {
  const given = await samplesOf([24, 8]);
  const md5 = given[0]?.md5 ?? '';
  // one picture of the manifest is not what it says, which one of a hundred may be, and the only one of fewer
  const spoil: AttemptOrder['prepare'] = (storage) => storage.blobs.set(picturePath(md5), Buffer.from('no picture'));
  const { code, reports, output } = await run(given, {}, spoil);
  expect({ code, last: reports.at(-1)?.kind }).toEqual({ code: 0, last: 'succeeded' });
  expect(reports.flatMap(({ unreadable = [] }) => unreadable)).toEqual([
    { md5, reason: expect.stringContaining('arrived with the MD5') },
  ]);
  const metrics = reports.flatMap((report) => report.metrics ?? []);
  expect(new Set(metrics.map(({ key }) => key))).toEqual(new Set(['loss', 'validation.ap50', 'validation.ap']));
  const { final, samples, copies, operating } = JSON.parse(output('metrics.json').toString('utf8'));
  expect({ samples, copies }).toEqual({ samples: { train: 23, validation: 8 }, copies: 1 });
  expect(final.validationAp50).toBeGreaterThan(0.6);
  expect(operating.f1).toBeGreaterThan(0.6);

  const model = output('model.onnx');
  const valid = validateModel(model, detectorEnds(shapeClasses.length, image));
  if (!valid.ok) throw new Error(valid.detail);
  expect(valid.metadata).toMatchObject({ 'darkroom.trainer': 'centernet', nms_iou: '0.5' });
  // an independent reader sees backbone and head in one graph
  const nodes = fromBinary(ModelProtoSchema, model).graph?.node.map(({ opType }) => opType) ?? [];
  expect(nodes).toEqual(expect.arrayContaining(['Conv', 'Clip', 'MaxPool', 'TopK', 'GatherND']));

  // what was kept for the smoke test is what the file answers
  const kept = smokeFile.parse(JSON.parse(output('smoke.json').toString('utf8')));
  expect(kept).toHaveLength(8);
  const session = await openGraph(model, 1);
  for (const [i, sample] of kept.entries()) {
    const { pixels, placement } = await toPlacedTensor((await shapePicture(24 + i)).bytes, image);
    const outputs = byPicture(await session.run({ input: floatTensor(pixels, [1, 3, 128, 128]) }), 1)[0] ?? {};
    const answer = { ...keptAnswer(shapeClasses).parse(sample), md5: sample.md5 };
    const served = { outputs, classes: shapeClasses, placement, metadata: metadata.parse(valid.metadata) };
    expect(departs(answer, served)).toBeUndefined();
  }
  await session.release();

  expect((await run(given, {}, spoil)).output('model.onnx').equals(model)).toBe(true);
}, 240_000);

test('takes grey pictures, sides that the backbone does not take, negative pictures alone, and no validation', async () => {
  const grey = { ...image, width: 100, height: 75, channels: 1 as const };
  const trainerOf = { name: 'centernet', parameters: { epochs: 1, batchSize: 4, copies: 0, width: 8 } };
  const negative = (await samplesOf([4, 0])).map((sample) => ({ ...sample, annotation: { boxes: [] } }));
  const { code, output } = await run(negative, { image: grey, trainer: trainerOf });
  expect(code).toBe(0);
  const valid = validateModel(output('model.onnx'), detectorEnds(2, grey));
  expect(valid).toMatchObject({
    ok: true,
    metadata: { score_threshold: '0.3', 'darkroom.backbone': expect.stringContaining('Apache-2.0') },
  });
  const session = await openGraph(output('model.onnx'), 1);
  const outputs = await session.run({ input: floatTensor(new Float32Array(2 * 75 * 100).fill(50), [2, 1, 75, 100]) });
  expect(outputs['boxes']?.dims).toEqual([2, 100, 4]);
  expect(outputs['scores']?.dims).toEqual([2, 100, 2]);
  await session.release();
});

test.each<[Partial<JobDocument>, string]>([
  [{ trainer: { name: 'softmax', parameters: {} } }, 'there is no trainer softmax for this task: use centernet'],
  [{ trainer: { name: 'centernet', parameters: { epochs: 0 } } }, 'epochs'],
  [{ classes: ['disc'] }, 'has a box of square, which is no class of the job'],
  [{ classes: [] }, 'a detector needs a class'],
  [{ task: 'segmentation' }, 'makes models for classification and detection, and the job asks for segmentation'],
])('refuses a job that is none for it: %j', async (change, reason) => {
  const { code, reports } = await run(await samplesOf([2, 1]), change);
  expect(code).toBe(1);
  expect(reports.at(-1)).toMatchObject({ kind: 'failed', reason: expect.stringContaining(reason) });
});
