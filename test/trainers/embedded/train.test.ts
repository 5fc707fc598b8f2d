import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, test } from 'vitest';
import { classifierEnds } from '../../../shared/task/classification/ends.ts';
import { validateModel } from '../../../shared/onnx/validate.ts';
import { keptAnswer } from '../../../shared/task/classification/smoke.ts';
import { smokeFile } from '../../../shared/training/job-contract.ts';
import { accuracyAndLoss, scoreModel, type Sample } from '../../../trainers/embedded/evaluate.ts';
import { train } from '../../../trainers/embedded/train.ts';
import { digitSpec, readDigits } from './digits.ts';

const classes = Array.from({ length: 10 }, (_, digit) => `digit ${digit}`);
const quiet = {
  threads: 1,
  provider: 'cpu' as const,
  afterStep: () => Promise.resolve(),
  afterEpoch: () => Promise.resolve(),
};

const jobOf = (name: string, parameters: Record<string, number | boolean> = {}, seed = 7) => ({
  classes,
  image: { width: 28, height: 28, channels: 1 as const },
  trainer: { name, parameters },
  datasetVersion: 'v-0001',
  seed,
});

const dataset = (training: Sample[], validation: Sample[]) => ({
  train: training,
  validation,
  validationMd5: validation.map((_, i) => i.toString(16).padStart(32, '0')),
});

describe('softmax', () => {
  const data = dataset(readDigits(0, 100), readDigits(100, 120));

  test('reads more than 90 % of digits it has not seen', async () => {
    const { files } = await train(jobOf('softmax'), data, quiet);
    const unseen = readDigits(120, 160);
    const probabilities = await scoreModel(files['model.onnx'], unseen, digitSpec, 1);
    expect(accuracyAndLoss(probabilities, unseen, 10).accuracy).toBeGreaterThan(0.9);
  });
});

describe('resnet-small', () => {
  const small = dataset(readDigits(0, 16), readDigits(100, 104));
  const parameters = { epochs: 3, width: 4 };

  test('learns', async () => {
    const { fitted } = await train(jobOf('resnet-small', parameters), small, quiet);
    const losses = fitted.history.map(({ loss }) => loss);
    expect(losses).toHaveLength(3);
    expect(losses[2]).toBeLessThan(losses[0] ?? 0);
    expect(fitted.chosen.validationLoss).toBe(Math.min(...fitted.history.map((epoch) => epoch.validationLoss)));
  });

  test('gives equal bytes for equal jobs, other bytes for another seed', async () => {
    const model = async (seed: number, threads: number) =>
      (await train(jobOf('resnet-small', parameters, seed), small, { ...quiet, threads })).files['model.onnx'];
    const first = await model(1, 1);
    expect((await model(1, 1)).equals(first)).toBe(true);
    expect((await model(2, 1)).equals(first)).toBe(false);
  });

  test('writes a file that an independent reader understands and validation takes', async () => {
    const { files } = await train(jobOf('resnet-small', parameters), small, quiet);
    const model = fromBinary(ModelProtoSchema, files['model.onnx']);
    const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
    expect(metadata).toEqual({
      'darkroom.classes': JSON.stringify(classes),
      'darkroom.datasetVersion': 'v-0001',
      'darkroom.input': '{"width":28,"height":28,"channels":1,"layout":"NCHW","range":[0,255]}',
      'darkroom.trainer': 'resnet-small',
    });
    expect(validateModel(files['model.onnx'], classifierEnds(digitSpec))).toEqual({ ok: true, metadata });
    const operators = new Set(model.graph?.node.map(({ opType }) => opType));
    // batch norm is folded away
    expect([...operators].sort()).toEqual(
      ['Add', 'Conv', 'Gemm', 'Identity', 'InstanceNormalization', 'ReduceMean', 'Relu', 'Softmax'].sort(),
    );
    const stem = model.graph?.initializer.find(({ name }) => name === 'stem.weights');
    expect(stem?.dims).toEqual([4n, 1n, 3n, 3n]);
    expect(stem?.rawData).toHaveLength(4 * 9 * 4);
  });

  test('writes outputs for validation samples that the served model gives again', async () => {
    const { files } = await train(jobOf('resnet-small', parameters), small, quiet);
    const smoke = smokeFile.parse(JSON.parse(files['smoke.json'].toString('utf8')));
    expect(smoke).toHaveLength(16);
    const { probabilities } = keptAnswer(classes).parse(smoke[0]);
    const scored = await scoreModel(files['model.onnx'], small.validation.slice(0, 1), digitSpec, 1);
    scored.forEach((value, i) => expect(value).toBeCloseTo(probabilities[i] ?? -1, 5));
  });

  test('takes colour images, and samples fewer than a batch', async () => {
    const samples = Array.from({ length: 5 }, (_, i) => ({
      label: i % 2,
      pixels: new Float32Array(3 * 48 * 44).fill(40 * i),
    }));
    const job = {
      ...jobOf('resnet-small', parameters),
      classes: ['a', 'b'],
      image: { width: 44, height: 48, channels: 3 as const },
    };
    const { files } = await train(job, dataset(samples, []), quiet);
    expect(
      validateModel(files['model.onnx'], classifierEnds({ channels: 3, height: 48, width: 44, classes: 2 })),
    ).toMatchObject({
      ok: true,
    });
  });

  test('ends early when validation does not get better', async () => {
    const stubborn = dataset(
      small.train,
      small.validation.map((sample) => ({ ...sample, label: (sample.label + 1) % 10 })),
    );
    const job = jobOf('resnet-small', { ...parameters, epochs: 40, patience: 2 });
    expect((await train(job, stubborn, quiet)).fitted.history.length).toBeLessThan(40);
  });
});

describe('a job that cannot be done', () => {
  const data = dataset(readDigits(0, 1), []);
  test.each([
    ['an unknown trainer', jobOf('alchemy'), 'alchemy'],
    ['an unknown parameter', jobOf('softmax', { magic: 1 }), 'magic'],
    ['a parameter out of bounds', jobOf('softmax', { epochs: 0 }), 'epochs'],
  ])('is refused: %s', async (_what, job, message) => {
    await expect(train(job, data, quiet)).rejects.toThrow(message);
  });

  test('is refused: no training samples', async () => {
    await expect(train(jobOf('softmax'), dataset([], []), quiet)).rejects.toThrow('no training samples');
  });

  test('is refused: a loss that diverges', async () => {
    const wild = jobOf('resnet-small', { learningRate: 1, width: 4, batchSize: 1, epochs: 50, weightDecay: 1 });
    const broken = dataset([{ label: 0, pixels: new Float32Array(784).fill(Number.NaN) }], []);
    await expect(train(wild, broken, quiet)).rejects.toThrow('no longer a number');
  });
});
