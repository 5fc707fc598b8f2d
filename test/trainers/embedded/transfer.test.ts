/** Classifiers on fixed features, and the trainer that chooses between them. */
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readBackbone } from '../../../shared/onnx/backbone.ts';
import { floatsOf, floatTensor, openGraph } from '../../../shared/onnx/engine.ts';
import { validateModel } from '../../../shared/onnx/validate.ts';
import { classifierEnds } from '../../../shared/task/classification/ends.ts';
import { accuracyAndLoss, type Sample, scoreModel } from '../../../trainers/embedded/evaluate.ts';
import { auto, isNetworkWorth } from '../../../trainers/embedded/auto.ts';
import { edges, openFeatures } from '../../../trainers/embedded/features.ts';
import { fitLogistic, predict, type Rows } from '../../../trainers/embedded/logistic.ts';
import type { Choice } from '../../../trainers/embedded/method.ts';
import { methodOf } from '../../../trainers/embedded/recipes.ts';
import { createRandom } from '../../../trainers/embedded/random.ts';
import { train } from '../../../trainers/embedded/train.ts';
import { digitSpec, readDigits } from './digits.ts';

const quiet = {
  threads: 1,
  provider: 'cpu' as const,
  afterStep: () => Promise.resolve(),
  afterEpoch: () => Promise.resolve(),
};
const image = { width: 48, height: 40, channels: 3 as const };
const shape = { ...image, classes: 2 };

/** Discs in one of two colours on noise: nothing that edges tell apart. */
function discs(count: number, seed: number): Sample[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const pixels = new Uint8Array(3 * 48 * 40);
    const [cx, cy] = [16 + random.below(16), 14 + random.below(12)];
    for (let at = 0; at < pixels.length; at++) {
      const [channel, y, x] = [Math.floor(at / 1920), Math.floor(at / 48) % 40, at % 48];
      const inside = (x - cx) ** 2 + (y - cy) ** 2 < 80;
      pixels[at] = 100 + random.below(30) + (inside && channel === (i % 2) * 2 ? 90 : 0);
    }
    return { pixels, label: i % 2, md5: (1000 * seed + i).toString(16).padStart(32, '0') };
  });
}
const dataset = (training: Sample[], validation: Sample[]) => ({
  train: training,
  validation,
  validationMd5: validation.map((_, i) => i.toString(16).padStart(32, '0')),
});
const colours = dataset(discs(24, 1), discs(6, 2));
const jobOf = (name: string, parameters: Record<string, number | string> = {}) => ({
  classes: ['blue', 'red'],
  image,
  trainer: { name, parameters },
  datasetVersion: 'v-0001',
  seed: 7,
});
/** the backbone on few pixels, which is enough for discs */
const small = { size: 64 };

describe('a classifier on the embedding', () => {
  test('learns from a dozen pictures of a class, and its one graph gives the embedding that it decides by', async () => {
    const { files } = await train(jobOf('embedding', small), colours, quiet);
    const model = files['model.onnx'];
    const unseen = discs(20, 3);
    expect(accuracyAndLoss(await scoreModel(model, unseen, shape, 1), unseen, 2).accuracy).toBeGreaterThan(0.9);
    const valid = validateModel(model, classifierEnds(shape));
    expect(valid).toMatchObject({ ok: true, metadata: { 'darkroom.trainer': 'embedding' } });
    expect(valid).toHaveProperty(['metadata', 'darkroom.backbone'], expect.stringMatching(/Apache-2.0: converted to/));
    const [served, backbone] = [await openGraph(model, 1), await openGraph(await readBackbone(), 1)];
    const grey = floatTensor(new Float32Array(3 * 40 * 48).fill(90), [1, 3, 40, 48]);
    const given = floatsOf((await served.run({ input: grey }, ['embedding']))['embedding']);
    // a plain picture is the same in any size: 48x40 is seen as 64x64
    const plain = floatTensor(new Float32Array(3 * 64 * 64).fill(90), [1, 3, 64, 64]);
    const wanted = floatsOf((await backbone.run({ image: plain }, ['embedding']))['embedding']);
    expect(Math.max(...given.map((value, i) => Math.abs(value - (wanted[i] ?? 0))))).toBeLessThan(1e-3);
    await served.release();
    await backbone.release();
  });

  test('answers one picture and many at once alike, to 0.0001 as in training', async () => {
    const { files, fitted } = await train(jobOf('embedding', small), colours, quiet);
    const together = await scoreModel(files['model.onnx'], colours.validation, shape, 1);
    for (const [i, sample] of colours.validation.entries()) {
      const alone = await scoreModel(files['model.onnx'], [sample], shape, 1);
      alone.forEach((value, at) => {
        expect(Math.abs(value - (together[2 * i + at] ?? -1))).toBeLessThan(1e-4);
        expect(Math.abs(value - (fitted.probabilities[2 * i + at] ?? -1))).toBeLessThan(1e-4);
      });
    }
  });

  test('takes grey pictures of any size, and a hidden head', async () => {
    const spec = { width: 20, height: 36, channels: 1 as const };
    const samples = Array.from({ length: 12 }, (_, i) => ({
      label: i % 2,
      pixels: Uint8Array.from({ length: 20 * 36 }, (__, at) =>
        (i % 2 === 0 ? at % 20 : at / 20) % 6 < 3 ? 220 - i : 30,
      ),
    }));
    for (const head of ['linear', 'hidden']) {
      const job = {
        ...jobOf('embedding', { size: 32, head, ...(head === 'hidden' ? { units: 8 } : {}) }),
        image: spec,
      };
      const { files } = await train(job, dataset(samples, samples.slice(0, 4)), quiet);
      expect(validateModel(files['model.onnx'], classifierEnds({ ...spec, classes: 2 }))).toMatchObject({ ok: true });
      const probabilities = await scoreModel(files['model.onnx'], samples, { ...spec, classes: 2 }, 1);
      expect(accuracyAndLoss(probabilities, samples, 2).accuracy).toBeGreaterThan(0.9);
    }
  });
});

describe('features', () => {
  test('are kept for the next training, which gives the same bytes, as do two threads', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kept-'));
    const options = { ...quiet, kept: { folder } };
    const model = async (with_: object): Promise<Buffer> =>
      (await train(jobOf('embedding', small), colours, { ...options, ...with_ })).files['model.onnx'];
    const plain = await model({ kept: undefined });
    expect((await model({})).equals(plain)).toBe(true);
    const [of = ''] = await readdir(folder);
    expect(await readdir(path.join(folder, of))).toHaveLength(30);
    expect((await model({})).equals(plain)).toBe(true);
    expect((await model({ kept: undefined, threads: 2 })).equals(plain)).toBe(true);
    // files that another release decodes to other pixels
    const darker = colours.train.map((sample) => ({ ...sample, pixels: sample.pixels.map((value) => value >> 1) }));
    const others = async (with_: object): Promise<Buffer> =>
      (await train(jobOf('embedding', small), { ...colours, train: darker }, { ...quiet, ...with_ })).files[
        'model.onnx'
      ];
    expect((await others({ kept: { folder } })).equals(await others({}))).toBe(true);
    // nobody looks at pictures again that are known: the row of one is now that of another
    const [first = ''] = await readdir(path.join(folder, of));
    for (const name of await readdir(path.join(folder, of)))
      if (name !== first) await copyFile(path.join(folder, of, first), path.join(folder, of, name));
    expect((await model({})).equals(plain)).toBe(false);
    await rm(folder, { recursive: true });
  });

  test('of edges say nothing of a plain picture, and the same of a bold and a faint one', async () => {
    const spec = { width: 40, height: 24, channels: 1 };
    const bars = (dark: number, bright: number): Sample => ({
      label: 0,
      pixels: Uint8Array.from({ length: 40 * 24 }, (_, at) => ((at % 40) % 10 < 5 ? dark : bright)),
    });
    const table = await openFeatures(edges, spec, { threads: 1 });
    const { values, size } = await table.rowsOf([bars(80, 80), bars(0, 250), bars(100, 200)]);
    await table.release();
    const [plain, bold, faint] = [0, 1, 2].map((i) => values.subarray(i * size, (i + 1) * size));
    expect(Math.max(...(plain ?? [1]))).toBeLessThan(1e-6);
    expect(Math.max(...(bold ?? [0]))).toBeGreaterThan(0.1);
    const apart = Math.max(...(bold ?? []).map((value, i) => Math.abs(value - (faint?.[i] ?? 0))));
    expect(apart).toBeLessThan(0.02);
  });
});

describe('copies of small pictures', () => {
  const rowsOf = async (side: number, count: number) => {
    const spec = { width: side, height: side, channels: 1 };
    const samples = Array.from({ length: count }, (_, i) => ({
      label: i % 2,
      pixels: Uint8Array.from({ length: side * side }, (__, at) => (at % side < side / 2 + i ? 200 : 40)),
    }));
    const table = await openFeatures(edges, spec, { threads: 1 });
    const rows = { plain: await table.rowsOf(samples), copied: await table.rowsWithCopiesOf(samples) };
    await table.release();
    return rows;
  };

  test('follow the pictures, turned both ways, each as its own class', async () => {
    const { plain, copied } = await rowsOf(28, 2);
    expect(copied.labels).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    expect(copied.values.subarray(0, plain.values.length)).toEqual(plain.values);
    const firsts = [0, 1, 2, 3, 4].map((copy) => copied.values.subarray(2 * copy * plain.size).slice(0, plain.size));
    expect(new Set(firsts.map(String)).size).toBe(5);
  });

  test('are not made of larger pictures, and of many only so many that the rows stay bounded', async () => {
    expect((await rowsOf(65, 2)).copied.labels).toHaveLength(2);
    const spec = { width: 8, height: 8, channels: 1 };
    const table = await openFeatures(edges, spec, { threads: 1 });
    const [pixels, label] = [new Uint8Array(64), 0];
    // the same picture again and again is looked at once
    const same: Sample = { pixels, label };
    const lengthWith = async (count: number): Promise<number> =>
      (await table.rowsWithCopiesOf(Array.from({ length: count }, () => same))).labels.length;
    expect(await lengthWith(2400)).toBe(12_000);
    expect(await lengthWith(5000)).toBe(10_000);
    expect(await lengthWith(6001)).toBe(6001);
    await table.release();
  });

  test('have edges tell more digits apart', async () => {
    const [learned, unseen] = [readDigits(0, 10), readDigits(100, 130)];
    const table = await openFeatures(edges, digitSpec, { threads: 1 });
    const others = await table.rowsOf(unseen);
    const share = async (rows: Rows): Promise<number> =>
      accuracyAndLoss(predict(await fitLogistic(rows, 10, 10, quiet), others, 10), unseen, 10).accuracy;
    expect(await share(await table.rowsWithCopiesOf(learned))).toBeGreaterThan(
      await share(await table.rowsOf(learned)),
    );
    await table.release();
  });
});

describe('the trainer that chooses', () => {
  test('takes edges for digits and says by how much, and the model has what it needs of them alone', async () => {
    const classes = Array.from({ length: 10 }, (_, digit) => `${digit}`);
    const job = { ...jobOf('auto', { size: 32 }), classes, image: { width: 28, height: 28, channels: 1 as const } };
    const data = dataset(readDigits(0, 12), readDigits(100, 102));
    const choices: Choice[] = [];
    const afterChoice = (choice: Choice): Promise<void> => Promise.resolve(void choices.push(choice));
    const { files } = await train(job, data, { ...quiet, afterChoice });
    const [choice] = choices;
    expect(choice).toMatchObject({ chosen: 'edges', compared: [{ method: 'edges' }, { method: 'embedding' }] });
    expect(choice?.note).toMatch(
      /^edges was chosen; of 120 pictures .*: edges \d+\.\d %, embedding \d+\.\d %; a network/,
    );
    expect(JSON.parse(files['metrics.json'].toString('utf8'))).toMatchObject({ choice });
    expect(validateModel(files['model.onnx'], classifierEnds(digitSpec))).toMatchObject({
      metadata: { 'darkroom.trainer': 'auto', 'darkroom.chosen': 'edges' },
    });
    expect(files['model.onnx'].length).toBeLessThan(200_000);
  });

  test('takes the embedding where edges tell nothing, with the same bytes every time', async () => {
    const model = async (): Promise<Buffer> => (await train(jobOf('auto', small), colours, quiet)).files['model.onnx'];
    const first = await model();
    expect(validateModel(first, classifierEnds(shape))).toMatchObject({ metadata: { 'darkroom.chosen': 'embedding' } });
    expect((await model()).equals(first)).toBe(true);
  });

  test('has a network from scratch answer for pictures that were left out, where there are enough to learn from', async () => {
    // at this rate it learns nothing
    const network = methodOf('softmax', { epochs: 1, learningRate: 1e-6 });
    const data = { train: readDigits(0, 5), validation: readDigits(100, 101) };
    const epochs: number[] = [];
    const afterEpoch = ({ epoch }: { epoch: number }): Promise<void> => Promise.resolve(void epochs.push(epoch));
    const chooses = auto(32, { embedding: 100, edges: 10 }, network, 50);
    const { choice } = await chooses(data, digitSpec, { ...quiet, seed: 1, afterEpoch });
    const [, , known, tried] = choice?.compared ?? [];
    expect(known).toMatchObject({ method: choice?.chosen, by: 'left-out', samples: 10 });
    expect(tried).toMatchObject({ method: 'network', by: 'left-out', samples: 10 });
    expect(choice?.note).toMatch(/; of 10 that were left out: \w+ \d+\.\d %, network \d+\.\d %$/);
    // the epoch of the network that was only tried is not told
    expect(epochs).toEqual([1]);
  });

  test('takes a network from scratch for one more picture of every hundred, and not for less', () => {
    const compared = (known: number, tried: number): Choice['compared'] =>
      [known, tried].map((right, i) => ({
        ...{ method: i === 0 ? 'edges' : 'network', by: 'left-out' as const },
        ...{ accuracy: right / 300, samples: 300 },
      }));
    expect([-3, 0, 2, 3, 4].map((more) => isNetworkWorth(compared(290, 290 + more)))).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
    expect(isNetworkWorth([])).toBe(false);
  });

  test('goes by what pictures it was made for where there is nothing to compare with', async () => {
    const one = dataset(colours.train.slice(0, 2), []);
    const { files } = await train(jobOf('auto', small), one, quiet);
    const { choice } = JSON.parse(files['metrics.json'].toString('utf8')) as { choice: Choice };
    expect(choice).toMatchObject({ chosen: 'embedding', compared: [] });
    expect(choice.note).toContain('no class has a second picture');
  });
});
