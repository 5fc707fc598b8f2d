/**
 * How good the trainers of classifiers are with few pictures: digits of the package `mnist`, and clip art of Debian's package
 * openclipart-png where CLIP_ART names its folder `png` (without installing it: `apt-get download openclipart-png &&
 * dpkg -x openclipart-png_*.deb DIR`, and then DIR/usr/share/openclipart/png). Every picture is judged once, by a model that
 * has learned from 5, 10, 20 or 60 others of each class; every trainer trains once on all but a fifth, for its seconds, the
 * size of its model and the time of a score. One thread.
 */
import { createHash } from 'node:crypto';
import { backboneParts } from '../../shared/onnx/backbone.ts';
import { floatTensor, openGraph } from '../../shared/onnx/engine.ts';
import { exactInterval } from '../../shared/evaluation/binomial.ts';
import { accuracyAndLoss, type Sample, scoreModel } from '../../trainers/embedded/evaluate.ts';
import { edges, embeddingOf, openFeatures } from '../../trainers/embedded/features.ts';
import { fitLogistic, predict } from '../../trainers/embedded/logistic.ts';
import { train } from '../../trainers/embedded/train.ts';
import { atLeast, type Bench, type Figure, figure, median, notMeasured } from './bench.ts';
import { clipArtGroups, readClipArt } from './clip-art.ts';
import { digitPixels } from './digits.ts';

const perClass = [5, 10, 20, 60];
const folds = 5;
/** 60 to learn from and 15 to be judged on, where there are as many */
const mostOfClass = 75;
const validationOneIn = 7;
const timedRuns = 20;
/** what trainers see of larger pictures in a project that names no size */
const [largeSide, smallSide] = [160, 64];

const heads = [
  { name: 'edges', strength: 10 },
  { name: 'embedding', strength: 100 },
] as const;
const trainers = [
  { name: 'softmax', parameters: {}, side: smallSide },
  { name: 'resnet-small', parameters: {}, side: smallSide },
  { name: 'edges', parameters: {}, side: largeSide },
  { name: 'embedding', parameters: {}, side: largeSide },
  { name: 'embedding', parameters: { head: 'hidden' }, side: largeSide },
] as const;

interface Task {
  name: string;
  classes: number;
  /** in colour, square, unless they are 28x28 digits */
  samplesOf(side: number): Promise<Sample[]>;
  shapeOf(side: number): { width: number; height: number; channels: 1 | 3 };
}

const quiet = {
  threads: 1,
  provider: 'cpu' as const,
  afterStep: () => Promise.resolve(),
  afterEpoch: () => Promise.resolve(),
};
const percent = (share: number): string => (100 * share).toFixed(1);

/** The samples of one fold, and the first `count` of each class of the others. */
function deal(samples: readonly Sample[], classes: number, fold: number, count: number) {
  const byClass = Array.from({ length: classes }, (_, own) => samples.filter(({ label }) => label === own));
  return {
    judged: byClass.flatMap((own) => own.filter((_, i) => i % folds === fold)),
    learned: byClass.flatMap((own) => own.filter((_, i) => i % folds !== fold).slice(0, count)),
  };
}

/** Shares of right answers of a linear head on fixed features, by pictures of a class. */
async function curveOf(
  task: Task,
  head: (typeof heads)[number],
  counts: readonly number[],
  say: (line: string) => void,
) {
  const [shape, samples] = [task.shapeOf(largeSide), await task.samplesOf(largeSide)];
  const features = head.name === 'edges' ? edges : embeddingOf(shape, largeSide, await backboneParts());
  const table = await openFeatures(features, shape, { threads: 1 });
  const shares = new Map<number, number>();
  for (const count of counts) {
    let right = 0;
    for (let fold = 0; fold < folds; fold++) {
      const { judged, learned } = deal(samples, task.classes, fold, count);
      const weights = await fitLogistic(await table.rowsWithCopiesOf(learned), task.classes, head.strength, quiet);
      const probabilities = predict(weights, await table.rowsOf(judged), task.classes);
      right += Math.round(accuracyAndLoss(probabilities, judged, task.classes).accuracy * judged.length);
    }
    const { low, high } = exactInterval(right, samples.length, 0.95);
    const interval = `${percent(low)} to ${percent(high)}`;
    say(`${task.name}, ${head.name}, ${count} a class: ${percent(right / samples.length)} % (${interval})`);
    shares.set(count, right / samples.length);
  }
  await table.release();
  return shares;
}

async function scoreMs(model: Buffer, { pixels }: Sample, dims: number[]): Promise<number> {
  const session = await openGraph(model, 1);
  const input = floatTensor(Float32Array.from(pixels), dims);
  const times: number[] = [];
  for (let run = 0; run < timedRuns; run++) {
    const startedAt = performance.now();
    await session.run({ input }, ['probabilities']);
    times.push(performance.now() - startedAt);
  }
  await session.release();
  return median(times);
}

/** One whole training of a trainer on all but a fold, of which one in seven is the validation split. */
async function trainOnce(
  task: Task,
  trainer: (typeof trainers)[number],
  say: (line: string) => void,
): Promise<Figure[]> {
  const [image, samples] = [task.shapeOf(trainer.side), await task.samplesOf(trainer.side)];
  const { judged, learned } = deal(samples, task.classes, 0, mostOfClass);
  const held = (isHeld: boolean): Sample[] => learned.filter((_, i) => (i % validationOneIn === 0) === isHeld);
  const classes = Array.from({ length: task.classes }, (_, i) => `class ${i}`);
  const job = { classes, image, trainer, datasetVersion: 'bench', seed: 1 };
  const startedAt = performance.now();
  const data = { train: held(false), validation: held(true), validationMd5: [] };
  const model = (await train(job, data, quiet)).files['model.onnx'];
  const seconds = (performance.now() - startedAt) / 1000;
  const probabilities = await scoreModel(model, judged, { ...image, classes: task.classes }, 1);
  const { accuracy: share } = accuracyAndLoss(probabilities, judged, task.classes);
  const { low, high } = exactInterval(Math.round(share * judged.length), judged.length, 0.95);
  const [first] = judged;
  const ms = first === undefined ? 0 : await scoreMs(model, first, [1, image.channels, image.height, image.width]);
  const name = [task.name, trainer.name, ...Object.values(trainer.parameters)].join(', ');
  say(
    `${name}: ${percent(share)} % (${percent(low)} to ${percent(high)}), ${seconds.toFixed(1)} s, ${(model.length / 1e6).toFixed(2)} MB, ${ms.toFixed(2)} ms`,
  );
  return [
    figure(`${name}: accuracy`, 100 * share, '%'),
    figure(`${name}: training`, seconds, 's'),
    figure(`${name}: model`, model.length / 1e6, 'MB'),
    figure(`${name}: score`, ms, 'ms'),
  ];
}

const digits: Task = {
  name: 'digits',
  classes: 10,
  shapeOf: () => ({ width: 28, height: 28, channels: 1 }),
  samplesOf: () =>
    Promise.resolve(
      Array.from({ length: mostOfClass * 10 }, (_, i) => ({
        pixels: digitPixels(i % 10, Math.floor(i / 10)),
        label: i % 10,
        md5: createHash('md5').update(`digit ${i}`).digest('hex'),
      })),
    ),
};

const clipArt = (root: string, group: string): Task => ({
  name: `clip art ${group}`,
  classes: clipArtGroups[group]?.length ?? 0,
  shapeOf: (side) => ({ width: side, height: side, channels: 3 }),
  samplesOf: (side) => readClipArt(root, group, mostOfClass, side),
});

type Curves = Map<(typeof heads)[number]['name'], Map<number, number>>;

/** What the pretrained backbone is for: ten points above edges, and few pictures that are worth many, over all groups. */
function goals(groups: ReadonlyMap<string, Curves>, counts: readonly number[]): Figure[] {
  const most = Math.max(...counts);
  const above = (curves: Curves, count: number): number =>
    100 * ((curves.get('embedding')?.get(count) ?? Number.NaN) - (curves.get('edges')?.get(most) ?? Number.NaN));
  const gains = [...groups].map(([name, curves]) =>
    atLeast(`${name}: embedding above edges`, above(curves, most), 'points', 10),
  );
  const few = [...groups.values()].reduce((sum, curves) => sum + above(curves, 10) / groups.size, 0);
  return [...gains, atLeast(`embedding with 10 above edges with ${most}`, few, 'points', 0)];
}

export const accuracy: Bench = async ({ quick, say }) => {
  const root = process.env['CLIP_ART'];
  const groups = root === undefined ? [] : Object.keys(clipArtGroups).slice(0, quick ? 1 : undefined);
  const counts = quick ? [10, 60] : perClass;
  const figures: Figure[] = [];
  if (root === undefined) figures.push(notMeasured('clip art', '%', 'CLIP_ART names no folder of openclipart-png'));
  const found = new Map<string, Curves>();
  for (const task of [digits, ...groups.map((group) => clipArt(root ?? '', group))]) {
    const curves: Curves = new Map();
    for (const head of heads) curves.set(head.name, await curveOf(task, head, counts, say));
    if (task !== digits) found.set(task.name, curves);
    for (const trainer of quick ? [] : trainers) figures.push(...(await trainOnce(task, trainer, say)));
  }
  return found.size === 0 ? figures : [...figures, ...goals(found, counts)];
};
