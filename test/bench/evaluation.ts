/** How long the pipeline's evaluation takes: a test split assessed in shards, with a model of every embedded trainer. */
import { createHash } from 'node:crypto';
import { assessTestSplit, type EvaluatedModel, shardSize } from '../../shared/evaluation/shards.ts';
import { createImageReader } from '../../shared/image/decode.ts';
import type { ModelCache } from '../../shared/onnx/session.ts';
import type { Blobs } from '../../shared/ports.ts';
import { classification } from '../../shared/task/classification/classification.ts';
import { createRandom } from '../../trainers/embedded/random.ts';
import { train } from '../../trainers/embedded/train.ts';
import { type BenchOptions, type Figure, figure } from './bench.ts';

/** Where the test samples lie, and what runs models. */
export interface TestSplit {
  blobs: Blobs;
  models: ModelCache;
  project: string;
  root: string;
}

/**
 * A model of the default trainer for the same pictures and classes. It has learnt nothing, one epoch on noise, since how
 * long a network takes does not depend on its weights.
 */
export async function defaultModel({
  classes,
  image,
}: Pick<EvaluatedModel, 'classes' | 'image'>): Promise<EvaluatedModel> {
  const random = createRandom(1);
  const samples = Array.from({ length: 2 * classes.length }, (_, i) => ({
    pixels: Float32Array.from({ length: image.channels * image.height * image.width }, () => 255 * random.next()),
    label: i % classes.length,
  }));
  const trainer = { name: 'resnet-small', parameters: { epochs: 1 } };
  const data = { train: samples, validation: samples, validationMd5: samples.map((_, i) => String(i)) };
  const { files } = await train({ classes, image, trainer, datasetVersion: 'bench', seed: 1 }, data, {
    ...{ threads: 2, provider: 'cpu' },
    afterStep: () => Promise.resolve(),
    afterEpoch: () => Promise.resolve(),
  });
  const model = files['model.onnx'];
  const digest = createHash('sha256').update(model).digest('hex');
  return { classes, image, digest, load: () => Promise.resolve(model) };
}

/** Assesses the split with the model as candidate and as champion, so that every picture is decoded and scored twice. */
export async function evaluation(
  { blobs, models, project, root }: TestSplit,
  trainer: string,
  model: EvaluatedModel,
  say: BenchOptions['say'],
): Promise<Figure[]> {
  const reader = createImageReader();
  const ports = {
    blobs: withoutShards(blobs),
    toTensor: (...call: Parameters<typeof reader.toTensor>) => reader.toTensor(...call),
    infer: (...call: Parameters<typeof models.run>) => models.run(...call),
  };
  const startedAt = performance.now();
  const split = await assessTestSplit(ports, {
    ...{ project, root, kind: classification, candidate: model, champion: model },
    outOfTime: () => false,
    setAside: (md5, reason) => Promise.reject(new Error(`${md5} cannot be read: ${reason}`)),
  });
  const assessed = split === 'continue' ? [] : split.assessed;
  const seconds = (performance.now() - startedAt) / 1000;
  if (assessed.length === 0) throw new Error(`no test sample was assessed with ${trainer}`);
  const { width, height, channels } = model.image;
  say(
    `evaluation with ${trainer}: ${assessed.length} images as ${width}x${height}x${channels}, against a champion of the same kind, in ${seconds.toFixed(2)} s`,
  );
  const per = seconds / assessed.length;
  return [
    figure(`evaluation-${trainer}-seconds-per-2000-images`, per * 2000, 's'),
    figure(`evaluation-${trainer}-seconds-per-shard`, per * shardSize, 's'),
  ];
}

/** The pipeline has assessed these samples already and kept the shards; here they are assessed again. */
function withoutShards<
  T extends { get: (...call: never[]) => Promise<unknown>; create: (...call: never[]) => unknown },
>(blobs: T): T {
  const get = (...call: Parameters<T['get']>) =>
    String(call[1]).includes('/evaluations/') ? Promise.resolve(undefined) : blobs.get(...call);
  return { ...blobs, get, create: () => Promise.resolve('created') };
}
