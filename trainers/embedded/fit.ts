/** Trains a network and keeps the weights of the epoch that did best on validation. */
import { type ExecutionProvider, floatsOf, floatTensor, openGraph } from '../../shared/onnx/engine.ts';
import type { ClassifierShape } from '../../shared/task/classification/ends.ts';
import type { Architecture } from './architectures.ts';
import { augment, type Augmentation } from './augment.ts';
import { accuracyAndLoss, probabilitiesOf, type Sample } from './evaluate.ts';
import { servingGraph, trainingGraph } from './graphs.ts';
import { foldBatchNorms, type Weights } from './network.ts';
import { createRandom, type Random } from './random.ts';
import { createStatisticsMeter } from './statistics.ts';
import { createStepper, type Stepper } from './step.ts';

export interface Recipe {
  architecture: Architecture;
  epochs: number;
  batchSize: number;
  learningRate: number;
  weightDecay: number;
  /** part of each target spread over all classes */
  labelSmoothing: number;
  /** epochs without a better validation loss after which training ends */
  patience: number;
  augmentation: Augmentation;
}

export interface Epoch {
  /** from 1 */
  epoch: number;
  loss: number;
  trainAccuracy: number;
  validationLoss: number;
  validationAccuracy: number;
}

/** How a network is trained, whose epochs are told as `E`s. */
export interface FitOptions<E = Epoch> {
  seed: number;
  threads: number;
  /** of the steps alone: what is served runs on CPUs, and is judged on one */
  provider: ExecutionProvider;
  /** called after every step; training ends with whatever it throws */
  afterStep(done: number, total: number): Promise<void>;
  afterEpoch(epoch: E): Promise<void>;
}

export interface Fitted {
  /** folded: of the served network */
  weights: Weights;
  chosen: Epoch;
  history: Epoch[];
  /** of the validation samples, with these weights, during training */
  probabilities: Float32Array;
}

/** Linear warm-up over the first tenth, then half a cosine down to zero (Loshchilov and Hutter 2017). */
export function scheduledRate(peak: number, step: number, total: number): number {
  const warmUp = Math.min(20, total / 10);
  return peak * Math.min(1, step / warmUp) * 0.5 * (1 + Math.cos((Math.PI * step) / total));
}

interface Training {
  train: Sample[];
  spec: ClassifierShape;
  recipe: Recipe;
  random: Random;
  stepper: Stepper;
  batchNorms: string[];
  batch: number;
}

/** One pass over the training samples; the last batch is filled up from the start of the order. */
async function runEpoch(
  training: Training,
  epoch: number,
  options: FitOptions,
): Promise<{ loss: number; trainAccuracy: number }> {
  const { train, spec, recipe, random, stepper, batch } = training;
  const size = spec.channels * spec.height * spec.width;
  const order = Uint32Array.from(train, (_, i) => i);
  random.shuffle(order);
  const steps = Math.ceil(train.length / batch);
  const pixels = new Float32Array(batch * size);
  const targets = new Float32Array(batch * spec.classes);
  let loss = 0;
  let right = 0;
  for (let step = 0; step < steps; step++) {
    const samples = Array.from(
      { length: batch },
      (_, i) => train[order[(step * batch + i) % train.length] ?? 0] as Sample,
    );
    targets.fill(recipe.labelSmoothing / spec.classes);
    samples.forEach((sample, i) => {
      augment(pixels, i * size, sample.pixels, spec, recipe.augmentation, random);
      const own = i * spec.classes + sample.label;
      targets[own] = (targets[own] ?? 0) + 1 - recipe.labelSmoothing;
    });
    const done = epoch * steps + step + 1;
    const total = recipe.epochs * steps;
    const feeds = {
      pixels: floatTensor(pixels, [batch, spec.channels, spec.height, spec.width]),
      targets: floatTensor(targets, [batch, spec.classes]),
    };
    const rate = scheduledRate(recipe.learningRate, done, total);
    const outputs = await stepper.step(feeds, rate, recipe.weightDecay);
    loss += floatsOf(outputs['loss'])[0] ?? 0;
    right += accuracyAndLoss(floatsOf(outputs['probabilities']), samples, spec.classes).accuracy;
    await options.afterStep(done, total);
  }
  return { loss: loss / steps, trainAccuracy: right / steps };
}

/** Measures the network as it would be served after this epoch. */
type Evaluate = () => Promise<{ weights: Weights; probabilities: Float32Array }>;

async function createEvaluation(
  training: Training,
  validation: Sample[],
  threads: number,
): Promise<{ evaluate: Evaluate; release(): Promise<void> }> {
  const { train, spec, recipe, stepper, batchNorms } = training;
  const { bytes, shapes } = servingGraph(recipe.architecture, spec, undefined, {});
  const serving = await openGraph(bytes, threads);
  const meter =
    batchNorms.length === 0
      ? undefined
      : await createStatisticsMeter(recipe.architecture, spec, train, batchNorms, threads);
  return {
    async evaluate() {
      const statistics = (await meter?.measure(stepper.parameters())) ?? new Map<string, Float32Array>();
      const weights = foldBatchNorms(stepper.weights(), statistics, batchNorms);
      const feeds = Object.fromEntries(
        Array.from(shapes, ([name, shape]) => [name, floatTensor(weights.get(name) ?? new Float32Array(), shape)]),
      );
      return { weights, probabilities: await probabilitiesOf(serving, validation, spec, feeds) };
    },
    async release() {
      await serving.release();
      await meter?.release();
    },
  };
}

/**
 * Trains on `train` and chooses the epoch on `validation` (without validation samples: the last epoch). The same samples in
 * the same order, recipe and seed give the same weights, bit for bit, on machines of one type.
 */
export async function fit(
  train: Sample[],
  validation: Sample[],
  spec: ClassifierShape,
  recipe: Recipe,
  options: FitOptions,
): Promise<Fitted> {
  if (train.length === 0) throw new Error('there are no training samples');
  const random = createRandom(options.seed);
  const order = Uint32Array.from(train, (_, i) => i);
  random.shuffle(order);
  const shuffled = Array.from(order, (i) => train[i] as Sample);
  const batch = Math.min(recipe.batchSize, train.length);
  const { batchNorms, ...graph } = trainingGraph(recipe.architecture, spec, batch);
  const stepper = await createStepper(graph, random, options.threads, options.provider);
  const training: Training = { train: shuffled, spec, recipe, random, stepper, batchNorms, batch };
  const evaluation = await createEvaluation(training, validation, options.threads);
  try {
    const history: Epoch[] = [];
    let best: Omit<Fitted, 'history'> | undefined;
    for (let index = 0; index < recipe.epochs; index++) {
      const trained = await runEpoch(training, index, options);
      const { weights, probabilities } = await evaluation.evaluate();
      const { accuracy, loss } = accuracyAndLoss(probabilities, validation, spec.classes);
      const epoch = { epoch: index + 1, ...trained, validationLoss: loss, validationAccuracy: accuracy };
      history.push(epoch);
      // by loss, not accuracy: on a few hundred samples accuracy has ties and jumps
      if (best === undefined || validation.length === 0 || loss < best.chosen.validationLoss) {
        best = { weights, chosen: epoch, probabilities };
      }
      await options.afterEpoch(epoch);
      if (validation.length > 0 && epoch.epoch - best.chosen.epoch >= recipe.patience) break;
    }
    if (best === undefined) throw new Error('there are no epochs');
    return { ...best, history };
  } finally {
    await stepper.release();
    await evaluation.release();
  }
}
