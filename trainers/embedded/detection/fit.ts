/** Trains the head on kept maps and keeps the weights of the epoch that did best on validation. */
import { floatsOf, floatTensor, openGraph, type Tensor } from '../../../shared/onnx/engine.ts';
import type { NamedTensors } from '../../../shared/onnx/ends.ts';
import { type FitOptions, scheduledRate } from '../fit.ts';
import type { Weights } from '../network.ts';
import { createRandom } from '../random.ts';
import type { DetectorRecipe } from '../recipes.ts';
import { createStepper, type Stepper } from '../step.ts';
import { averagePrecision, type Shown } from './evaluate.ts';
import { type DetectorShape, evaluationGraph, mapSizeOf, trainingGraph } from './graphs.ts';
import { feedsOf, type KeptMaps } from './maps.ts';
import { emptyTargets, type TargetBox, type Targets, writeTargets } from './targets.ts';

/** A picture, or a copy of one, to learn from. */
export interface Taught {
  maps: KeptMaps;
  boxes: readonly TargetBox[];
}

/** A picture to validate with. */
export interface Held {
  maps: KeptMaps;
  shown: Shown;
}

export interface Epoch {
  /** from 1 */
  epoch: number;
  loss: number;
  validationAp50: number;
  validationAp: number;
}

export interface Fitted {
  weights: Weights;
  chosen: Epoch;
  history: Epoch[];
  /** what the network with these weights answers for each validation picture */
  answers: NamedTensors[];
}

/** pictures that are evaluated at once */
const evaluatedAtOnce = 8;

/** What a graph with the outputs `boxes` and `scores` answers for pictures, by picture. */
export function byPicture(outputs: Record<string, Tensor>, pictures: number): NamedTensors[] {
  return Array.from({ length: pictures }, (_, i) => {
    const one = (name: string): NamedTensors[string] => {
      const tensor = outputs[name];
      const data = floatsOf(tensor);
      const length = data.length / pictures;
      return { data: data.slice(i * length, (i + 1) * length), dims: tensor?.dims.slice(1) ?? [] };
    };
    return { boxes: one('boxes'), scores: one('scores') };
  });
}

async function createEvaluation(shape: DetectorShape, validation: readonly Held[], threads: number) {
  const { bytes, shapes } = evaluationGraph(shape);
  const session = await openGraph(bytes, threads);
  return {
    async evaluate(weights: Weights): Promise<NamedTensors[]> {
      const values = Object.fromEntries(
        Array.from(shapes, ([name, dims]) => [name, floatTensor(weights.get(name) ?? new Float32Array(), dims)]),
      );
      const answers: NamedTensors[] = [];
      for (let at = 0; at < validation.length; at += evaluatedAtOnce) {
        const some = validation.slice(at, at + evaluatedAtOnce).map(({ maps }) => maps);
        const outputs = await session.run({ ...values, ...feedsOf(some, shape.input) });
        answers.push(...byPicture(outputs, some.length));
      }
      return answers;
    },
    release: () => session.release(),
  };
}

/** The inputs of one step: maps and targets of a batch, and what their sums are divided by. */
function stepFeeds(
  batch: readonly Taught[],
  targets: Targets,
  { input, classes }: DetectorShape,
): Record<string, Tensor> {
  const size = mapSizeOf(input);
  batch.forEach(({ boxes }, i) => writeTargets(targets, i, boxes, classes.length, size));
  const tensor = (data: Float32Array, channels: number): Tensor =>
    floatTensor(data, [batch.length, channels, size.rows, size.columns]);
  const sum = (data: Float32Array): number => data.reduce((total, value) => total + value, 0);
  const share = (total: number): Tensor => floatTensor(Float32Array.of(1 / Math.max(1, total)), []);
  return {
    ...feedsOf(
      batch.map(({ maps }) => maps),
      input,
    ),
    centres: tensor(targets.centres, classes.length),
    elsewhere: tensor(targets.elsewhere, classes.length),
    box: tensor(targets.box, 4),
    boxWeight: tensor(targets.boxWeight, 1),
    heatShare: share(sum(targets.centres)),
    boxShare: share(sum(targets.boxWeight)),
  };
}

/**
 * Trains on `taught` and chooses the epoch on `validation` (where nothing is found there, as where it shows no object: the
 * last epoch). The same pictures in the same order, recipe and seed give the same weights, bit for bit, on machines of one
 * type.
 */
export async function fit(
  taught: readonly Taught[],
  validation: readonly Held[],
  shape: DetectorShape,
  recipe: DetectorRecipe,
  options: FitOptions<Epoch>,
): Promise<Fitted> {
  const random = createRandom(options.seed);
  const batch = Math.min(recipe.batchSize, taught.length);
  const stepper = await createStepper(trainingGraph(shape, batch), random, options.threads, options.provider);
  const evaluation = await createEvaluation(shape, validation, options.threads);
  const order = Uint32Array.from(taught, (_, i) => i);
  const targets = emptyTargets(batch, shape.classes.length, mapSizeOf(shape.input));
  try {
    const history: Epoch[] = [];
    let best: Omit<Fitted, 'history'> | undefined;
    for (let index = 0; index < recipe.epochs; index++) {
      random.shuffle(order);
      const loss = await runEpoch(index, { taught, order, batch, targets, shape, recipe, stepper }, options);
      const weights = stepper.weights();
      const answers = await evaluation.evaluate(weights);
      const { ap50, ap } = averagePrecision(
        answers,
        validation.map(({ shown }) => shown),
        shape.classes,
      );
      const epoch = { epoch: index + 1, loss, validationAp50: ap50, validationAp: ap };
      history.push(epoch);
      if (best === undefined || isBetter(epoch, best.chosen)) best = { weights, chosen: epoch, answers };
      await options.afterEpoch(epoch);
      if (epoch.epoch - best.chosen.epoch >= recipe.patience) break;
    }
    if (best === undefined) throw new Error('there are no epochs');
    return { ...best, history };
  } finally {
    await stepper.release();
    await evaluation.release();
  }
}

/** The one says what is found, the other how exactly, which goes on to get better. */
const qualityOf = ({ validationAp50, validationAp }: Epoch): number => validationAp50 + validationAp;

/** Where nothing was found before, an epoch more is better whatever it finds: there is nothing to choose by. */
export const isBetter = (later: Epoch, best: Epoch): boolean =>
  qualityOf(best) === 0 || qualityOf(later) > qualityOf(best);

interface Training {
  taught: readonly Taught[];
  order: Uint32Array;
  batch: number;
  targets: Targets;
  shape: DetectorShape;
  recipe: DetectorRecipe;
  stepper: Stepper;
}

/** One pass over what is taught; the last batch is filled up from the start of the order. Resolves with the mean loss. */
async function runEpoch(index: number, training: Training, options: FitOptions<Epoch>): Promise<number> {
  const { taught, order, batch, targets, shape, recipe, stepper } = training;
  const steps = Math.ceil(taught.length / batch);
  let loss = 0;
  for (let step = 0; step < steps; step++) {
    const pictures = Array.from(
      { length: batch },
      (_, i) => taught[order[(step * batch + i) % taught.length] ?? 0] as Taught,
    );
    const done = index * steps + step + 1;
    const total = recipe.epochs * steps;
    const rate = scheduledRate(recipe.learningRate, done, total);
    const outputs = await stepper.step(stepFeeds(pictures, targets, shape), rate, recipe.weightDecay);
    loss += floatsOf(outputs['loss'])[0] ?? 0;
    await options.afterStep(done, total);
  }
  return loss / steps;
}
