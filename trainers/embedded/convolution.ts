/** Convolution and its gradients, as plain ONNX nodes. */
import { type GraphBuilder, type Value, shape4 } from './graph-builder.ts';

const ints = (...values: number[]): { ints: number[] } => ({ ints: values });

interface Extent {
  kernel: number;
  stride: number;
  padding: number;
}

/** Rows and columns are treated alike: kernels are square, padding keeps the size at stride 1. */
const outputSize = (size: number, { kernel, stride, padding }: Extent): number =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1;

/** For 1x1 kernels the weight gradient is a product of matrices: sum over images of dy (co, hw) times x (hw, ci). */
function pointwiseWeightGradient(graph: GraphBuilder, x: Value, weights: Value, dy: Value): Value {
  const [n, ci, h, w] = shape4(x);
  const [, co] = shape4(dy);
  const columns = graph.node('Transpose', [graph.reshape(x, [n, ci, h * w])], [n, h * w, ci], { perm: ints(0, 2, 1) });
  const products = graph.node('MatMul', [graph.reshape(dy, [n, co, h * w]), columns], [n, co, ci]);
  const sum = graph.node('ReduceSum', [products, graph.integers([0])], [co, ci], { keepdims: { int: 0 } });
  return graph.reshape(sum, weights.shape);
}

/** Zeros below and to the right, and `before` of them above and to the left. */
function widen(graph: GraphBuilder, x: Value, before: number, rows: number, columns: number): Value {
  const [n, c, h, w] = shape4(x);
  if (before === 0 && rows === h && columns === w) return x;
  const pads = [0, 0, before, before, 0, 0, rows - h - before, columns - w - before];
  return graph.node('Pad', [x, graph.integers(pads)], [n, c, rows, columns]);
}

/**
 * What each tap of the kernel met of x, tap after tap: [n, taps * ci, places], and dy over the same places.
 * Rows and columns are first sorted by their remainder to the stride (SpaceToDepth), after which every tap moves by one; and
 * a place is any position of a padded row, the ones between two rows meeting zeros of dy. So each tap is one run of memory,
 * which onnxruntime copies several times faster than windows.
 */
function gatherTaps(
  graph: GraphBuilder,
  x: Value,
  dy: Value,
  extent: Extent,
): { met: Value; gradient: Value; places: number } {
  const [n, ci, , w] = shape4(x);
  const [, co, oh] = shape4(dy);
  const { kernel, stride, padding } = extent;
  const row = Math.ceil((w + 2 * padding) / stride);
  // one row more than the last tap needs, since it reaches a little beyond
  const rows = oh + Math.floor((kernel - 1) / stride) + 1;
  const places = oh * row;
  const phases = stride * stride * ci;
  const padded = widen(graph, x, padding, rows * stride, row * stride);
  const sorted =
    stride === 1
      ? padded
      : graph.node('SpaceToDepth', [padded], [n, phases, rows, row], { blocksize: { int: stride } });
  const runs = graph.reshape(sorted, [n, phases, rows * row]);
  const taps: Value[] = [];
  for (let tap = 0; tap < kernel * kernel; tap++) {
    const down = Math.floor(tap / kernel);
    const right = tap % kernel;
    const phase = ((down % stride) * stride + (right % stride)) * ci;
    const start = Math.floor(down / stride) * row + Math.floor(right / stride);
    const bounds = [
      [phase, start],
      [phase + ci, start + places],
      [1, 2],
    ].map((list) => graph.integers(list));
    taps.push(graph.node('Slice', [runs, ...bounds], [n, ci, places]));
  }
  const met = graph.node('Concat', taps, [n, kernel * kernel * ci, places], { axis: { int: 1 } });
  const gradient = graph.reshape(widen(graph, dy, 0, oh, row), [n, co, places]);
  return { met, gradient, places };
}

/** dW as products of matrices: for every tap of the kernel what it met of x, against dy; summed over images. */
function weightGradient(graph: GraphBuilder, x: Value, weights: Value, dy: Value, extent: Extent): Value {
  const [n, ci] = shape4(x);
  const [, co] = shape4(dy);
  const { kernel } = extent;
  if (kernel === 1 && extent.stride === 1) return pointwiseWeightGradient(graph, x, weights, dy);
  const { met, gradient, places } = gatherTaps(graph, x, dy, extent);
  const size = kernel * kernel * ci;
  const turned = graph.node('Transpose', [met], [n, places, size], { perm: ints(0, 2, 1) });
  const products = graph.node('MatMul', [gradient, turned], [n, co, size]);
  const sum = graph.node('ReduceSum', [products, graph.integers([0])], [co, size], { keepdims: { int: 0 } });
  // taps come before channels here, after them in the weights
  const split = graph.reshape(sum, [co, kernel, kernel, ci]);
  return graph.node('Transpose', [split], weights.shape, { perm: ints(0, 3, 1, 2) });
}

/** Square convolution, size kept at stride 1. Weights are [out, in, kernel, kernel], a bias is [out]. */
export function convolve(
  graph: GraphBuilder,
  x: Value,
  weights: Value,
  bias: Value | undefined,
  stride: number,
): Value {
  const [n, , h, w] = shape4(x);
  const [co, , kernel] = shape4(weights);
  const extent = { kernel, stride, padding: (kernel - 1) >> 1 };
  const { padding } = extent;
  const oh = outputSize(h, extent);
  const ow = outputSize(w, extent);
  const geometry = {
    kernel_shape: ints(kernel, kernel),
    pads: ints(padding, padding, padding, padding),
    strides: ints(stride, stride),
  };
  const inputs = bias === undefined ? [x, weights] : [x, weights, bias];
  const y = graph.node('Conv', inputs, [n, co, oh, ow], geometry);
  return graph.record(y, inputs, (dy) => {
    if (bias !== undefined && graph.isTrainable(bias)) {
      const sum = graph.node('ReduceSum', [dy, graph.integers([0, 2, 3])], [co], { keepdims: { int: 0 } });
      graph.accumulate(bias, sum);
    }
    if (graph.isTrainable(weights)) graph.accumulate(weights, weightGradient(graph, x, weights, dy, extent));
    if (!graph.isTrainable(x)) return;
    // rows and columns that the stride did not reach
    const left = (size: number, out: number): number => size + 2 * padding - kernel - (out - 1) * stride;
    const attributes = { ...geometry, output_padding: ints(left(h, oh), left(w, ow)) };
    graph.accumulate(x, graph.node('ConvTranspose', [dy, weights], x.shape, attributes));
  });
}
