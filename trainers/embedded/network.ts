/**
 * One description of a network serves three graphs: training (batch norm by batch), statistics (what batch norms see with
 * given weights) and serving (batch norm folded into the convolution before it).
 */
import { convolve } from './convolution.ts';
import { GraphBuilder, type Value } from './graph-builder.ts';
import { batchNorm, batchNormEpsilon, dense, type BatchStatistics } from './layers.ts';

/** What an architecture builds with. */
export interface Builder {
  graph: GraphBuilder;
  /** convolution without bias, then batch norm */
  normConvolution(x: Value, name: string, channels: number, kernel: number, stride: number): Value;
  /** convolution with a bias, `centre` at first; `gain` scales the initial weights */
  convolution(
    x: Value,
    name: string,
    channels: number,
    kernel: number,
    start?: { gain?: number; centre?: number },
  ): Value;
  /** `gain` scales the initial weights */
  dense(x: Value, name: string, units: number, gain: number): Value;
}

export interface Parameter {
  value: Value;
  /** number of elements; parameters lie one after the other in the vector `parameters` */
  length: number;
  offset: number;
  /** standard deviation of the initial weights around `centre` */
  deviation: number;
  centre: number;
}

/** Parameter values by name. */
export type Weights = Map<string, Float32Array>;

/** A builder whose parameters are trained. `parameters` and `statistics` fill up while the network is built. */
export function trainingBuilder(): Builder & { parameters: Parameter[]; statistics: BatchStatistics[] } {
  const graph = new GraphBuilder();
  const parameters: Parameter[] = [];
  const statistics: BatchStatistics[] = [];
  let offset = 0;
  const declare = (name: string, shape: number[], deviation: number, centre = 0): Value => {
    const length = shape.reduce((product, dim) => product * dim, 1);
    const value = graph.parameter(name, shape, offset, length);
    parameters.push({ value, length, offset, deviation, centre });
    offset += length;
    return value;
  };
  return {
    graph,
    parameters,
    statistics,
    normConvolution(x, name, channels, kernel, stride) {
      const from = x.shape[1] ?? 0;
      // He et al. 2015: variance 2 / fan-in keeps activations' size through ReLU layers
      const deviation = Math.sqrt(2 / (from * kernel * kernel));
      const weights = declare(`${name}.weights`, [channels, from, kernel, kernel], deviation);
      const plain = convolve(graph, x, weights, undefined, stride);
      const gamma = declare(`${name}.gamma`, [channels], 0, 1);
      const { y, mean, variance } = batchNorm(graph, plain, gamma, declare(`${name}.beta`, [channels], 0));
      statistics.push({ name, mean, variance });
      return y;
    },
    convolution(x, name, channels, kernel, { gain = 1, centre = 0 } = {}) {
      const from = x.shape[1] ?? 0;
      const deviation = Math.sqrt((2 * gain) / (from * kernel * kernel));
      const weights = declare(`${name}.weights`, [channels, from, kernel, kernel], deviation);
      return convolve(graph, x, weights, declare(`${name}.bias`, [channels], 0, centre), 1);
    },
    dense(x, name, units, gain) {
      const from = x.shape[1] ?? 0;
      const weights = declare(`${name}.weights`, [units, from], Math.sqrt((2 * gain) / from));
      return dense(graph, x, weights, declare(`${name}.bias`, [units], 0));
    },
  };
}

/** A builder of the served network: every `weights` and `bias` is an outside value, listed in `values`. */
export function servingBuilder(): Builder & { values: Value[] } {
  const graph = new GraphBuilder();
  const values: Value[] = [];
  const declare = (name: string, shape: number[]): Value => {
    const value = { name, shape };
    values.push(value);
    return value;
  };
  return {
    graph,
    values,
    normConvolution(x, name, channels, kernel, stride) {
      const weights = declare(`${name}.weights`, [channels, x.shape[1] ?? 0, kernel, kernel]);
      return convolve(graph, x, weights, declare(`${name}.bias`, [channels]), stride);
    },
    convolution(x, name, channels, kernel) {
      const weights = declare(`${name}.weights`, [channels, x.shape[1] ?? 0, kernel, kernel]);
      return convolve(graph, x, weights, declare(`${name}.bias`, [channels]), 1);
    },
    dense: (x, name, units) =>
      dense(graph, x, declare(`${name}.weights`, [units, x.shape[1] ?? 0]), declare(`${name}.bias`, [units])),
  };
}

const valueOf = (weights: Weights, name: string): Float32Array => {
  const value = weights.get(name);
  if (value === undefined) throw new Error(`no value for ${name}`);
  return value;
};

/**
 * Folds batch norms into convolutions: with s = gamma / sqrt(variance + epsilon), weights become s * weights and the bias
 * beta - s * mean. `statistics` holds `{name}.mean` and `{name}.variance`.
 */
export function foldBatchNorms(trained: Weights, statistics: Weights, batchNorms: string[]): Weights {
  const folded: Weights = new Map();
  for (const [name, value] of trained) {
    if (/\.(weights|bias)$/.test(name)) folded.set(name, Float32Array.from(value));
  }
  for (const name of batchNorms) {
    const weights = valueOf(folded, `${name}.weights`);
    const gamma = valueOf(trained, `${name}.gamma`);
    const beta = valueOf(trained, `${name}.beta`);
    const mean = valueOf(statistics, `${name}.mean`);
    const variance = valueOf(statistics, `${name}.variance`);
    const perChannel = weights.length / gamma.length;
    const bias = beta.map((shift, channel) => {
      const scale = (gamma[channel] ?? 0) / Math.sqrt((variance[channel] ?? 0) + batchNormEpsilon);
      for (let i = channel * perChannel; i < (channel + 1) * perChannel; i++) weights[i] = (weights[i] ?? 0) * scale;
      return shift - (mean[channel] ?? 0) * scale;
    });
    folded.set(`${name}.bias`, bias);
  }
  return folded;
}
