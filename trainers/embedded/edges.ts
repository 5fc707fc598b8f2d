/** How much edge of which direction lies where: histograms of oriented gradients (Dalal and Triggs 2005), as nodes of a graph. */
import { type GraphBuilder, shape4, type Value } from './graph-builder.ts';
import { flatten, resize } from './layers.ts';

/** Larger pictures are looked at in this size: what is finer says little about what they show, and costs memory. */
const largestSide = 64;
const smallestSide = 8;
/** evenly around the circle: from dark to bright is another direction than from bright to dark */
const directions = 16;
/** along the longer side of a picture */
const cellsAlong = 7;
/** Blocks are cut off at this share of their length, so that one strong edge does not hide the others (L2-Hys there). */
const cutOff = 0.2;
/** In grey levels: a block of weaker edges keeps its weakness, or noise on a plain ground would look like a drawing. */
const faint = 6;

/** Differences of the neighbours to the right and left, and below and above: [2, 1, 3, 3]. */
const differences = Float32Array.of(...[0, 0, 0, -1, 0, 1, 0, 0, 0], ...[0, -1, 0, 0, 0, 0, 0, 1, 0]);

/** Luminance 0..255 in the size in which it is looked at: [n, 1, rows, columns]. */
function luminance(graph: GraphBuilder, pixels: Value): Value {
  const [n, channels, height, width] = shape4(pixels);
  const scale = Math.min(1, largestSide / Math.max(height, width));
  const side = (pixels: number): number => Math.max(smallestSide, Math.round(pixels * scale));
  const small = resize(graph, pixels, side(height), side(width));
  if (channels === 1) return small;
  // ITU-R BT.601
  const weights = graph.tensor('edges.luminance', [1, 3, 1, 1], Float32Array.of(0.299, 0.587, 0.114));
  return graph.node('Conv', [small, weights], [n, 1, side(height), side(width)]);
}

/**
 * The gradient at each place, shared between the two directions next to its own: of a gradient of length g at the angle a
 * from a direction that has max(0, g cos a - g cos s) / (1 - cos s), with s the angle between neighbours.
 */
function byDirection(graph: GraphBuilder, light: Value): Value {
  const [n, , rows, columns] = shape4(light);
  // the picture goes on as it ends: its border is no edge
  const border = graph.integers([0, 0, 1, 1, 0, 0, 1, 1]);
  const padded = graph.node('Pad', [light, border], [n, 1, rows + 2, columns + 2], { mode: { text: 'edge' } });
  const kernels = graph.tensor('edges.differences', [2, 1, 3, 3], differences);
  const gradient = graph.node('Conv', [padded, kernels], [n, 2, rows, columns]);
  const turn = (2 * Math.PI) / directions;
  const least = Math.cos(turn);
  const unit = Array.from({ length: directions }, (_, i) => [Math.cos(i * turn), Math.sin(i * turn)]).flat();
  const shape = [n, directions, rows, columns];
  const share = Float32Array.from(unit, (part) => part / (1 - least));
  const along = graph.node('Conv', [gradient, graph.tensor('edges.directions', [directions, 2, 1, 1], share)], shape);
  const perPlace = { axes: { ints: [1] }, keepdims: { int: 1 } };
  const length = graph.node('ReduceL2', [gradient], [n, 1, rows, columns], perPlace);
  const threshold = graph.node('Mul', [length, graph.scalar(least / (1 - least))], length.shape);
  return graph.node('Relu', [graph.node('Sub', [along, threshold], shape)], shape);
}

/**
 * Means over cells; each place counts for the cells around it by its distance to their centres, which two means, one after
 * the other, come to: a picture that is moved a little changes them a little.
 */
function cellsOf(graph: GraphBuilder, x: Value): Value {
  const [n, channels, rows, columns] = shape4(x);
  const usual = Math.round(Math.max(rows, columns) / cellsAlong);
  // a block needs two cells, also where a picture is narrow
  const cell = [rows, columns].map((side) => Math.max(2, Math.min(usual, Math.floor(side / 2))));
  const before = cell.map((side) => Math.floor((side - 1) / 2));
  const after = cell.map((side) => Math.ceil((side - 1) / 2));
  const around = { kernel_shape: { ints: cell }, pads: { ints: [...before, ...after] }, count_include_pad: { int: 1 } };
  const smooth = graph.node('AveragePool', [x], x.shape, around);
  const [down, across] = [Math.floor(rows / (cell[0] ?? 1)), Math.floor(columns / (cell[1] ?? 1))];
  const apart = { kernel_shape: { ints: cell }, strides: { ints: cell } };
  return graph.node('AveragePool', [smooth], [n, channels, down, across], apart);
}

/** Pixels 0..255 [n, 1 or 3, rows, columns] to [n, features]: every cell as a part of each block of 2x2 cells that it lies in. */
export function describeEdges(graph: GraphBuilder, pixels: Value): Value {
  const cells = cellsOf(graph, byDirection(graph, luminance(graph, pixels)));
  const [n, , down, across] = shape4(cells);
  const perCell = { axes: { ints: [1] }, keepdims: { int: 1 } };
  const squares = graph.node('ReduceSumSquare', [cells], [n, 1, down, across], perCell);
  const blocks = [n, 1, down - 1, across - 1];
  const mean = graph.node('AveragePool', [squares], blocks, { kernel_shape: { ints: [2, 2] } });
  const sum = graph.node('Mul', [mean, graph.scalar(4)], blocks);
  const length = graph.node('Sqrt', [graph.node('Add', [sum, graph.scalar(faint ** 2)], blocks)], blocks);
  const shape = [n, directions, down - 1, across - 1];
  const corners = [0, 1].flatMap((y) => [0, 1].map((x) => [y, x] as const));
  const parts = corners.map(([y, x]) => {
    const [from, to] = [graph.integers([y, x]), graph.integers([y + down - 1, x + across - 1])];
    const part = graph.node('Slice', [cells, from, to, graph.integers([2, 3])], shape);
    return graph.node('Min', [graph.node('Div', [part, length], shape), graph.scalar(cutOff)], shape);
  });
  const all = graph.node('Concat', parts, [n, 4 * directions, down - 1, across - 1], { axis: { int: 1 } });
  return flatten(graph, all);
}
