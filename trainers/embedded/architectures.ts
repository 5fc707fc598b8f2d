/** The networks: each takes raw pixels 0..255 [n, channels, rows, columns] to logits [n, classes]. */
import { convolve } from './convolution.ts';
import { type GraphBuilder, type Value, shape4 } from './graph-builder.ts';
import { add, averagePool, flatten, globalAverage, relu, standardise } from './layers.ts';
import type { Builder } from './network.ts';

export type Architecture = (builder: Builder, pixels: Value, classes: number) => Value;

/** Images beyond this many rows or columns lose half of them in the first layer: time, for detail that small networks cannot use. */
const largeSide = 40;

/**
 * Oriented filters (Gabor): Gaussian ridges and edges at `orientations` angles, each of mean 0 and absolute sum 1,
 * spread evenly over the channels. [2 * orientations, channels, size, size]
 */
function orientedFilters(size: number, sigma: number, orientations: number, channels: number): Float32Array {
  const centre = (size - 1) / 2;
  const filters: number[] = [];
  for (let filter = 0; filter < 2 * orientations; filter++) {
    const angle = (Math.PI * (filter >> 1)) / orientations;
    const values: number[] = [];
    for (let y = -centre; y <= centre; y++) {
      for (let x = -centre; x <= centre; x++) {
        const across = x * Math.cos(angle) + y * Math.sin(angle);
        const along = y * Math.cos(angle) - x * Math.sin(angle);
        const envelope = Math.exp(-(across ** 2 + along ** 2 / 4) / (2 * sigma ** 2));
        values.push(filter % 2 === 0 ? (1 - (across / sigma) ** 2) * envelope : -across * envelope);
      }
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const centred = values.map((value) => value - mean);
    const weight = centred.reduce((sum, value) => sum + Math.abs(value), 0) * channels;
    for (let channel = 0; channel < channels; channel++) filters.push(...centred.map((value) => value / weight));
  }
  return Float32Array.from(filters);
}

function orientedEnergy(graph: GraphBuilder, x: Value, stride: number): Value {
  const orientations = 8;
  const [, channels] = shape4(x);
  const size = 5;
  const data = orientedFilters(size, 1, orientations, channels);
  const filters = graph.tensor('oriented', [2 * orientations, channels, size, size], data);
  const response = convolve(graph, x, filters, undefined, stride);
  return graph.node('Abs', [response], response.shape);
}

/** Multinomial regression on fixed features: how much edge of which direction lies where. Trains in a second or two. */
export const softmaxOnEdges: Architecture = (builder, pixels, classes) => {
  const { graph } = builder;
  const x = standardise(graph, pixels);
  const [, , h, w] = shape4(x);
  const energy = orientedEnergy(graph, x, Math.max(h, w) > largeSide ? 2 : 1);
  // windows of about an eighth of the image
  const window = Math.max(1, Math.round(Math.min(energy.shape[2] ?? 1, energy.shape[3] ?? 1) / 8));
  const pooled = averagePool(graph, energy, window);
  // the logarithm evens out bold and faint strokes; the constant keeps flat areas near each other
  const features = graph.node('Log', [graph.node('Add', [pooled, graph.scalar(0.03)], pooled.shape)], pooled.shape);
  return builder.dense(flatten(graph, features), 'head', classes, 0.01);
};

function residualBlock(builder: Builder, x: Value, name: string, channels: number, stride: number): Value {
  const { graph } = builder;
  const first = relu(graph, builder.normConvolution(x, `${name}.first`, channels, 3, stride));
  const second = builder.normConvolution(first, `${name}.second`, channels, 3, 1);
  const same = stride === 1 && x.shape[1] === channels;
  const shortcut = same ? x : builder.normConvolution(x, `${name}.shortcut`, channels, 1, stride);
  return relu(graph, add(graph, second, shortcut));
}

/** A small residual network (He et al. 2016): a stem and three blocks of `width`, 2 `width` and 4 `width` channels. */
export function residualNetwork(width: number): Architecture {
  return (builder, pixels, classes) => {
    const { graph } = builder;
    let x = standardise(graph, pixels);
    const [, , h, w] = shape4(x);
    const stride = Math.max(h, w) > largeSide ? 2 : 1;
    x = relu(graph, builder.normConvolution(x, 'stem', width, 3, stride));
    x = residualBlock(builder, x, 'block1', width, 2);
    x = residualBlock(builder, x, 'block2', 2 * width, 2);
    x = residualBlock(builder, x, 'block3', 4 * width, 2);
    return builder.dense(globalAverage(graph, x), 'head', classes, 0.25);
  };
}
