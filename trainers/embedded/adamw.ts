import type { GraphBuilder, Value } from './graph-builder.ts';

const meanDecay = 0.9;
const squareDecay = 0.999;
const epsilon = 1e-7;

/** What step number `step` (from 1) multiplies the learning rate by: Adam's two bias corrections in one. */
export function biasCorrection(step: number): number {
  return Math.sqrt(1 - squareDecay ** step) / (1 - meanDecay ** step);
}

/**
 * Adds one AdamW step (Loshchilov and Hutter 2019) over all parameters as one vector. Inputs `parameters`, `mean`, `square`,
 * `rate` (bias-corrected) and `decay` (learning rate times weight decay); outputs `new:` of the first three.
 * `decays` is 1 where a parameter decays: matrices and kernels do, biases and batch norms do not, as usual.
 */
export function adamwStep(graph: GraphBuilder, gradient: Value, decays: Float32Array): void {
  const { shape } = gradient;
  const node = (op: string, ...inputs: Value[]): Value => graph.node(op, inputs, shape);
  const blend = (old: string, fresh: Value, decay: number): Value =>
    node('Add', node('Mul', { name: old, shape }, graph.scalar(decay)), node('Mul', fresh, graph.scalar(1 - decay)));
  const parameters = { name: 'parameters', shape };
  const mean = blend('mean', gradient, meanDecay);
  const square = blend('square', node('Mul', gradient, gradient), squareDecay);
  const root = node('Add', node('Sqrt', square), graph.scalar(epsilon));
  const move = node('Mul', node('Div', mean, root), { name: 'rate', shape: [] });
  const shrink = node('Mul', node('Mul', parameters, graph.tensor('decays', shape, decays)), {
    name: 'decay',
    shape: [],
  });
  graph.alias(node('Sub', parameters, node('Add', move, shrink)), 'new:parameters');
  graph.alias(mean, 'new:mean');
  graph.alias(square, 'new:square');
}
