/** The ONNX graphs of a training: one step, batch norm statistics, evaluation, and the model that is served. */
import { encodeModel, type ValueInfo } from '../../shared/onnx/encode.ts';
import type { ClassifierShape } from '../../shared/task/classification/ends.ts';
import { adamwStep } from './adamw.ts';
import type { Architecture } from './architectures.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { softmaxCrossEntropy } from './layers.ts';
import { servingBuilder, trainingBuilder, type Parameter, type Weights } from './network.ts';

const pixelShape = (batch: number, spec: ClassifierShape): number[] => [batch, spec.channels, spec.height, spec.width];

interface TrainingGraph {
  bytes: Uint8Array;
  parameters: Parameter[];
  /** names of the batch norms */
  batchNorms: string[];
}

/** One training step, as `encodeTraining` has it. Inputs: `pixels`, `targets`; outputs: `loss`, `probabilities`. */
export function trainingGraph(
  architecture: Architecture,
  spec: ClassifierShape,
  batch: number,
  output: 'step' | 'gradients' = 'step',
): TrainingGraph {
  const builder = trainingBuilder();
  const { graph, parameters, statistics } = builder;
  const pixels = { name: 'pixels', shape: pixelShape(batch, spec) };
  const targets = { name: 'targets', shape: [batch, spec.classes] };
  const logits = architecture(builder, pixels, spec.classes);
  const { loss, probabilities } = softmaxCrossEntropy(graph, logits, targets);
  graph.alias(loss, 'loss');
  graph.alias(probabilities, 'probabilities');
  const ends = {
    inputs: [pixels, targets],
    outputs: [
      { name: 'loss', shape: [] },
      { name: 'probabilities', shape: targets.shape },
    ],
  };
  const bytes = encodeTraining(graph, parameters, ends, output);
  return { bytes, parameters, batchNorms: statistics.map(({ name }) => name) };
}

/**
 * Encodes a graph whose loss has started the gradients, with those of all parameters and one step of AdamW. `ends` are what
 * goes in and comes out beside what adamw.ts takes and gives. With gradients only there is no step: the input is
 * `parameters`, the output `gradient`.
 */
export function encodeTraining(
  graph: GraphBuilder,
  parameters: readonly Parameter[],
  ends: { inputs: ValueInfo[]; outputs: ValueInfo[] },
  output: 'step' | 'gradients',
): Uint8Array {
  graph.backward();
  const gradients = parameters.map(({ value, length }) => graph.reshape(graph.gradientOf(value), [length]));
  const vector = [parameters.reduce((sum, { length }) => sum + length, 0)];
  const gradient = graph.node('Concat', gradients, vector, { axis: { int: 0 } });
  const state = output === 'step' ? ['parameters', 'mean', 'square'] : ['parameters'];
  const inputs = [...ends.inputs, ...state.map((name) => ({ name, shape: vector }))];
  const outputs = [...ends.outputs];
  if (output === 'step') {
    inputs.push({ name: 'rate', shape: [] }, { name: 'decay', shape: [] });
    outputs.push(...state.map((name) => ({ name: `new:${name}`, shape: vector })));
    const decays = parameters.flatMap(({ value, length }) =>
      Array<number>(length).fill(value.shape.length > 1 ? 1 : 0),
    );
    adamwStep(graph, gradient, Float32Array.from(decays));
  } else {
    outputs.push({ name: 'gradient', shape: vector });
    graph.alias(gradient, 'gradient');
  }
  const { nodes, initialisers } = graph;
  return encodeModel({ name: 'training', nodes, inputs, outputs, initialisers, metadata: {} });
}

/** Inputs: `pixels` and `parameters`; outputs: `{name}.mean` and `{name}.variance` of every batch norm. */
export function statisticsGraph(architecture: Architecture, spec: ClassifierShape, batch: number): Uint8Array {
  const builder = trainingBuilder();
  const { graph, parameters, statistics } = builder;
  const pixels = { name: 'pixels', shape: pixelShape(batch, spec) };
  architecture(builder, pixels, spec.classes);
  const outputs: ValueInfo[] = [];
  for (const { name, mean, variance } of statistics) {
    graph.alias(mean, `${name}.mean`);
    graph.alias(variance, `${name}.variance`);
    outputs.push({ name: `${name}.mean`, shape: mean.shape }, { name: `${name}.variance`, shape: variance.shape });
  }
  const vector = [parameters.reduce((sum, { length }) => sum + length, 0)];
  const inputs = [pixels, { name: 'parameters', shape: vector }];
  const { nodes, initialisers } = graph;
  return encodeModel({ name: 'statistics', nodes, inputs, outputs, initialisers, metadata: {} });
}

/**
 * The served network, `input` [N, channels, height, width] to `probabilities` [N, classes]. With `weights` they are inside
 * the file: that is the model. Without, they are inputs: that is the same graph for evaluation during training. `besides`
 * are values of the architecture that are given out as well.
 */
export function servingGraph(
  architecture: Architecture,
  spec: ClassifierShape,
  weights: Weights | undefined,
  metadata: Record<string, string>,
  besides: readonly ValueInfo[] = [],
): { bytes: Uint8Array; shapes: Map<string, number[]> } {
  const builder = servingBuilder();
  const { graph, values } = builder;
  const logits = architecture(builder, { name: 'input', shape: pixelShape(1, spec) }, spec.classes);
  const softmax = graph.node('Softmax', [logits], logits.shape, { axis: { int: 1 } });
  graph.alias(softmax, 'probabilities');
  const inputs: ValueInfo[] = [{ name: 'input', shape: ['N', spec.channels, spec.height, spec.width] }];
  const initialisers = [...graph.initialisers];
  for (const { name, shape } of values) {
    const data = weights?.get(name);
    if (data !== undefined) initialisers.push({ name, dims: shape, data });
    else if (weights === undefined) inputs.push({ name, shape });
    else throw new Error(`no weights for ${name}`);
  }
  const outputs = [{ name: 'probabilities', shape: ['N', spec.classes] }, ...besides];
  const bytes = encodeModel({ name: 'classifier', nodes: graph.nodes, inputs, outputs, initialisers, metadata });
  return { bytes, shapes: new Map(values.map(({ name, shape }) => [name, shape])) };
}
