/** Multinomial logistic regression with an L2 penalty, to its minimum: no learning rate, no epochs, no chance. */
import { floatsOf, floatTensor, openGraph, type GraphSession, type Tensor } from '../../shared/onnx/engine.ts';
import type { Architecture } from './architectures.ts';
import { trainingGraph } from './graphs.ts';
import { flatten } from './layers.ts';
import type { Weights } from './network.ts';

/** Rows of `size` numbers, one after the other, and the class of each. */
export interface Rows {
  values: Float32Array;
  size: number;
  labels: readonly number[];
}

const linearHead: Architecture = (builder, features, classes) =>
  builder.dense(flatten(builder.graph, features), 'head', classes, 0.01);

const maxIterations = 200;
/** L-BFGS (Liu and Nocedal 1989) remembers so many steps. */
const memory = 10;
/** ends where the greatest slope is this small: of a mean loss, so that predictions no longer change */
const flat = 1e-4;
const maxHalvings = 25;

interface Point {
  at: Float32Array;
  loss: number;
  gradient: Float32Array;
}

const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
};

/** Mean cross entropy and its gradient at weights and bias, both in one vector, with the penalty on the first `weights`. */
function objective(session: GraphSession, features: Tensor, targets: Tensor, weights: number, penalty: number) {
  return async (at: Float32Array): Promise<Point> => {
    const outputs = await session.run({ pixels: features, targets, parameters: floatTensor(at, [at.length]) });
    const gradient = Float32Array.from(floatsOf(outputs['gradient']));
    let square = 0;
    for (let i = 0; i < weights; i++) {
      square += (at[i] ?? 0) ** 2;
      gradient[i] = (gradient[i] ?? 0) + penalty * (at[i] ?? 0);
    }
    return { at, loss: (floatsOf(outputs['loss'])[0] ?? Number.NaN) + (penalty * square) / 2, gradient };
  };
}

type Step = { moved: Float32Array; turned: Float32Array; curvature: number };

/** The direction of L-BFGS: minus the gradient, by the curvature that the last steps have met (two loops). */
function directionOf(gradient: Float32Array, steps: readonly Step[]): Float32Array {
  const direction = gradient.map((value) => -value);
  const factors = steps.toReversed().map(({ moved, turned, curvature }) => {
    const factor = dot(moved, direction) / curvature;
    for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] ?? 0) - factor * (turned[i] ?? 0);
    return factor;
  });
  const last = steps.at(-1);
  const scale = last === undefined ? 1 : last.curvature / dot(last.turned, last.turned);
  for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] ?? 0) * scale;
  steps.forEach(({ moved, turned, curvature }, at) => {
    const factor = (factors[steps.length - 1 - at] ?? 0) - dot(turned, direction) / curvature;
    for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] ?? 0) + factor * (moved[i] ?? 0);
  });
  return direction;
}

async function minimise(
  evaluate: (at: Float32Array) => Promise<Point>,
  from: Float32Array,
  afterStep: () => Promise<void>,
): Promise<Float32Array> {
  let point = await evaluate(from);
  const steps: Step[] = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    await afterStep();
    if (point.gradient.every((value) => Math.abs(value) < flat)) break;
    const direction = directionOf(point.gradient, steps);
    const slope = dot(point.gradient, direction);
    let next: Point | undefined;
    for (let halvings = 0, length = 1; halvings < maxHalvings && next === undefined; halvings++, length /= 2) {
      const tried = await evaluate(point.at.map((value, i) => value + length * (direction[i] ?? 0)));
      // Armijo's condition: a ten thousandth of the descent that the slope promises
      if (tried.loss <= point.loss + 1e-4 * length * slope) next = tried;
    }
    // rounding hides what is left to gain
    if (next === undefined) break;
    const { at, gradient } = point;
    const moved = next.at.map((value, i) => value - (at[i] ?? 0));
    const turned = next.gradient.map((value, i) => value - (gradient[i] ?? 0));
    const curvature = dot(moved, turned);
    if (curvature > 0) steps.push({ moved, turned, curvature });
    if (steps.length > memory) steps.shift();
    point = next;
  }
  return point.at;
}

/** Where rows lie: the mean of each number, and the root of the mean square length around it. */
export interface Centring {
  mean: Float32Array;
  scale: number;
}

/** The centring of rows; those that are all the same have the scale 1. */
export function measure({ values, size, labels }: Rows): Centring {
  const count = labels.length;
  const sums = new Float64Array(size);
  for (let at = 0; at < values.length; at++) sums[at % size] = (sums[at % size] ?? 0) + (values[at] ?? 0);
  const mean = Float32Array.from(sums, (sum) => sum / count);
  let square = 0;
  for (let at = 0; at < values.length; at++) square += ((values[at] ?? 0) - (mean[at % size] ?? 0)) ** 2;
  return { mean, scale: Math.sqrt(square / count) || 1 };
}

/** Rows around their mean, divided by the scale. */
export function centre({ values, size, labels }: Rows, { mean, scale }: Centring): Rows {
  const centred = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) centred[at] = ((values[at] ?? 0) - (mean[at % size] ?? 0)) / scale;
  return { values: centred, size, labels };
}

/** Weights for rows as they are of weights for centred ones: of `{layer}.weights` [units, size] and `{layer}.bias` [units]. */
export function foldCentring(trained: Weights, layer: string, { mean, scale }: Centring): Weights {
  const weights = (trained.get(`${layer}.weights`) ?? new Float32Array()).map((value) => value / scale);
  const size = mean.length;
  const bias = (trained.get(`${layer}.bias`) ?? new Float32Array()).map(
    (value, unit) => value - dot(weights.subarray(unit * size, (unit + 1) * size), mean),
  );
  return new Map([...trained, [`${layer}.weights`, weights], [`${layer}.bias`, bias]]);
}

/** Probabilities of each row, as a linear head gives them: `classes` numbers each. */
export function predict(head: Weights, { values, size, labels }: Rows, classes: number): Float32Array {
  const weights = head.get('head.weights') ?? new Float32Array();
  const bias = head.get('head.bias') ?? new Float32Array();
  const probabilities = new Float32Array(labels.length * classes);
  labels.forEach((_, row) => {
    const features = values.subarray(row * size, (row + 1) * size);
    const scores = Array.from(
      { length: classes },
      (__, unit) => dot(weights.subarray(unit * size, (unit + 1) * size), features) + (bias[unit] ?? 0),
    );
    const most = Math.max(...scores);
    const shares = scores.map((score) => Math.exp(score - most));
    const sum = shares.reduce((total, share) => total + share, 0);
    shares.forEach((share, unit) => (probabilities[row * classes + unit] = share / sum));
  });
  return probabilities;
}

/**
 * Weights and bias of the class scores of rows as they are: `head.weights` [classes, size] and `head.bias` [classes].
 * `strength` is scikit-learn's C, for rows that are centred and whose length is 1 in the mean; both are folded
 * into weights and bias. The same rows give the same bits.
 */
export async function fitLogistic(
  rows: Rows,
  classes: number,
  strength: number,
  { threads, afterStep }: { threads: number; afterStep: () => Promise<void> },
): Promise<Weights> {
  const { size, labels } = rows;
  const count = labels.length;
  if (count === 0) throw new Error('there are no training samples');
  const centring = measure(rows);
  const targets = new Float32Array(count * classes);
  labels.forEach((label, i) => (targets[i * classes + label] = 1));
  const { bytes } = trainingGraph(linearHead, { channels: size, height: 1, width: 1, classes }, count, 'gradients');
  const session = await openGraph(bytes, threads);
  try {
    const weights = classes * size;
    const evaluate = objective(
      session,
      floatTensor(centre(rows, centring).values, [count, size, 1, 1]),
      floatTensor(targets, [count, classes]),
      weights,
      1 / (strength * count),
    );
    const found = await minimise(evaluate, new Float32Array(weights + classes), afterStep);
    const head = new Map([
      ['head.weights', found.slice(0, weights)],
      ['head.bias', found.slice(weights)],
    ]);
    return foldCentring(head, 'head', centring);
  } finally {
    await session.release();
  }
}
