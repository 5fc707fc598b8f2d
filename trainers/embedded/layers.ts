/** The other operations of our networks, each with its gradient. Images are [n, channels, rows, columns]. */
import { type GraphBuilder, type Value, shape2, shape4 } from './graph-builder.ts';

const spatial = { axes: { ints: [0, 2, 3] }, keepdims: { int: 1 } };
/** added to variances before the square root; folding at export must use the same */
export const batchNormEpsilon = 1e-3;

/** Standardises each image's channels. It is part of the served graph, so raw pixels 0..255 go in, in training and serving alike. */
export function standardise(graph: GraphBuilder, pixels: Value): Value {
  const [, channels] = shape4(pixels);
  const one = graph.tensor('standardise.one', [channels], new Float32Array(channels).fill(1));
  const zero = graph.tensor('standardise.zero', [channels], new Float32Array(channels));
  // epsilon in squared grey levels: a blank image stays blank instead of becoming amplified noise
  return graph.node('InstanceNormalization', [pixels, one, zero], pixels.shape, { epsilon: { float: 1 } });
}

/** A batch norm's statistics over one batch, [1, channels, 1, 1]. */
export interface BatchStatistics {
  name: string;
  mean: Value;
  variance: Value;
}

/**
 * Batch normalisation by the statistics of the batch at hand (Ioffe and Szegedy 2015, algorithm 1; the gradient is theirs,
 * rearranged so that only means are needed).
 */
export function batchNorm(
  graph: GraphBuilder,
  x: Value,
  gamma: Value,
  beta: Value,
): { y: Value; mean: Value; variance: Value } {
  const [n, channels, h, w] = shape4(x);
  const wide = [1, channels, 1, 1];
  const count = n * h * w;
  const mean = graph.node('ReduceMean', [x], wide, spatial);
  const centred = graph.node('Sub', [x, mean], x.shape);
  const variance = graph.node('ReduceMean', [graph.node('Mul', [centred, centred], x.shape)], wide, spatial);
  const padded = graph.node('Add', [variance, graph.scalar(batchNormEpsilon)], wide);
  const inverse = graph.node('Reciprocal', [graph.node('Sqrt', [padded], wide)], wide);
  const normal = graph.node('Mul', [centred, inverse], x.shape);
  const gain = graph.reshape(gamma, wide);
  const y = graph.node('Add', [graph.node('Mul', [normal, gain], x.shape), graph.reshape(beta, wide)], x.shape);
  graph.record(y, [x, gamma, beta], (dy) => {
    const meanDy = graph.node('ReduceMean', [dy], wide, spatial);
    const meanDyNormal = graph.node('ReduceMean', [graph.node('Mul', [dy, normal], x.shape)], wide, spatial);
    const total = (mean: Value): Value =>
      graph.reshape(graph.node('Mul', [mean, graph.scalar(count)], wide), [channels]);
    graph.accumulate(beta, total(meanDy));
    graph.accumulate(gamma, total(meanDyNormal));
    if (!graph.isTrainable(x)) return;
    const shifted = graph.node('Sub', [dy, meanDy], x.shape);
    const along = graph.node('Mul', [normal, meanDyNormal], x.shape);
    const scale = graph.node('Mul', [gain, inverse], wide);
    graph.accumulate(x, graph.node('Mul', [graph.node('Sub', [shifted, along], x.shape), scale], x.shape));
  });
  return { y, mean, variance };
}

/** max(x, 0), for any shape. */
export function relu(graph: GraphBuilder, x: Value): Value {
  const y = graph.node('Relu', [x], x.shape);
  return graph.record(y, [x], (dy) => {
    graph.accumulate(x, graph.node('Mul', [dy, graph.node('Sign', [y], x.shape)], x.shape));
  });
}

/** a + b, of one shape. */
export function add(graph: GraphBuilder, a: Value, b: Value): Value {
  const y = graph.node('Add', [a, b], a.shape);
  return graph.record(y, [a, b], (dy) => {
    graph.accumulate(a, dy);
    graph.accumulate(b, dy);
  });
}

/** Bilinear interpolation to another number of rows and columns, however many images there are. Has no gradient. */
export function resize(graph: GraphBuilder, x: Value, rows: number, columns: number): Value {
  const [n, channels, h, w] = shape4(x);
  if (graph.isTrainable(x)) throw new Error('resizing is for pixels');
  if (h === rows && w === columns) return x;
  const shape = graph.node('Shape', [x], [4]);
  const images = graph.node('Slice', [shape, graph.integers([0]), graph.integers([1])], [1]);
  const sizes = graph.node('Concat', [images, graph.integers([channels, rows, columns])], [4], { axis: { int: 0 } });
  const none = { name: '', shape: [] };
  return graph.node('Resize', [x, none, none, sizes], [n, channels, rows, columns], {
    mode: { text: 'linear' },
    coordinate_transformation_mode: { text: 'half_pixel' },
  });
}

/** Mean over square windows that do not overlap; rows and columns that fill no window are left out. Has no gradient. */
export function averagePool(graph: GraphBuilder, x: Value, size: number): Value {
  const [n, channels, h, w] = shape4(x);
  if (graph.isTrainable(x)) throw new Error('average pooling is for fixed features');
  const window = { ints: [size, size] };
  return graph.node('AveragePool', [x], [n, channels, Math.floor(h / size), Math.floor(w / size)], {
    kernel_shape: window,
    strides: window,
  });
}

/** Each place becomes a square of `factor` x `factor` of the same. */
export function enlarge(graph: GraphBuilder, x: Value, factor: number): Value {
  const [n, channels, h, w] = shape4(x);
  const scales = graph.tensor(`enlarge.${factor}`, [4], Float32Array.of(1, 1, factor, factor));
  const nearest = {
    mode: { text: 'nearest' },
    coordinate_transformation_mode: { text: 'asymmetric' },
    nearest_mode: { text: 'floor' },
  };
  const y = graph.node('Resize', [x, { name: '', shape: [] }, scales], [n, channels, h * factor, w * factor], nearest);
  return graph.record(y, [x], (dy) => {
    const window = { ints: [factor, factor] };
    const mean = graph.node('AveragePool', [dy], x.shape, { kernel_shape: window, strides: window });
    graph.accumulate(x, graph.node('Mul', [mean, graph.scalar(factor * factor)], x.shape));
  });
}

/** [n, channels, rows, columns] to [n, channels * rows * columns]. */
export function flatten(graph: GraphBuilder, x: Value): Value {
  const [n, channels, h, w] = shape4(x);
  const y = graph.node('Flatten', [x], [n, channels * h * w], { axis: { int: 1 } });
  return graph.record(y, [x], (dy) => graph.accumulate(x, graph.reshape(dy, x.shape)));
}

/** Mean over rows and columns: [n, channels]. */
export function globalAverage(graph: GraphBuilder, x: Value): Value {
  const [n, channels, h, w] = shape4(x);
  const y = graph.node('ReduceMean', [x], [n, channels], { axes: { ints: [2, 3] }, keepdims: { int: 0 } });
  return graph.record(y, [x], (dy) => {
    const share = graph.node('Mul', [dy, graph.scalar(1 / (h * w))], [n, channels]);
    const narrow = graph.reshape(share, [n, channels, 1, 1]);
    graph.accumulate(x, graph.node('Expand', [narrow, graph.integers(x.shape)], x.shape));
  });
}

/** x [n, in] times weights [out, in] transposed, plus bias [out]. */
export function dense(graph: GraphBuilder, x: Value, weights: Value, bias: Value): Value {
  const [n] = shape2(x);
  const [out] = shape2(weights);
  const y = graph.node('Gemm', [x, weights, bias], [n, out], { transB: { int: 1 } });
  return graph.record(y, [x, weights, bias], (dy) => {
    graph.accumulate(weights, graph.node('Gemm', [dy, x], weights.shape, { transA: { int: 1 } }));
    graph.accumulate(bias, graph.node('ReduceSum', [dy, graph.integers([0])], bias.shape, { keepdims: { int: 0 } }));
    if (graph.isTrainable(x)) graph.accumulate(x, graph.node('Gemm', [dy, weights], x.shape));
  });
}

/** Mean cross entropy of softmax(logits) against target probabilities, both [n, classes]; starts the gradient. */
export function softmaxCrossEntropy(
  graph: GraphBuilder,
  logits: Value,
  targets: Value,
): { loss: Value; probabilities: Value } {
  const [n] = shape2(logits);
  const logs = graph.node('LogSoftmax', [logits], logits.shape, { axis: { int: 1 } });
  const probabilities = graph.node('Exp', [logs], logits.shape);
  const sum = graph.node('ReduceSum', [graph.node('Mul', [logs, targets], logits.shape)], [], { keepdims: { int: 0 } });
  const loss = graph.node('Mul', [sum, graph.scalar(-1 / n)], []);
  const error = graph.node('Sub', [probabilities, targets], logits.shape);
  graph.accumulate(logits, graph.node('Mul', [error, graph.scalar(1 / n)], logits.shape));
  return { loss, probabilities };
}
