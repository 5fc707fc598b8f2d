/** The ONNX graphs of a detector's training: maps of the backbone, one step, evaluation on maps, and the model that is served. */
import { backbone } from '../../../shared/onnx/backbone.ts';
import { encodeModel, type ValueInfo } from '../../../shared/onnx/encode.ts';
import type { InputShape } from '../../../shared/onnx/ends.ts';
import type { GraphParts } from '../../../shared/onnx/parts.ts';
import { GraphBuilder, shape4, type Value } from '../graph-builder.ts';
import { encodeTraining } from '../graphs.ts';
import { type Builder, type Parameter, servingBuilder, trainingBuilder, type Weights } from '../network.ts';
import { detectionHead, mapNames, mapShape, stride, type MapName, type MapSize, type Standards } from './head.ts';
import { boxLoss, focalLoss } from './loss.ts';
import { usualSide } from './targets.ts';

/** What all graphs of one training share. */
export interface DetectorShape {
  input: InputShape;
  classes: readonly string[];
  /** channels of the head */
  width: number;
  standards: Standards;
}

/** places whose boxes are answered: COCO counts 100 detections of a picture */
const answered = 100;
/** what lies beside a picture in a letterbox, and beside one whose sides the backbone does not take */
const grey = 114;
/** logarithms of sides beyond these are no box that a picture can have; keeps what is answered finite */
const [leastLogarithm, mostLogarithm] = [-5, 4];

const wholeSteps = (pixels: number): number => Math.ceil(pixels / backbone.stride) * backbone.stride;

/** The places of the heat map of an input, whose sides are brought to what the backbone takes. */
export const mapSizeOf = ({ height, width }: InputShape): MapSize => ({
  rows: wholeSteps(height) / stride,
  columns: wholeSteps(width) / stride,
});

/** Adds the backbone to a graph, on an input [N, 1 or 3, height, width]; the maps have one picture in their shape. */
function backboneMaps(graph: GraphBuilder, parts: GraphParts, input: Value): Record<MapName, Value> {
  const [n, channels, height, width] = shape4(input);
  const size = mapSizeOf({ channels, height, width });
  const [rows, columns] = [size.rows * stride, size.columns * stride];
  const colour =
    channels === 3 ? input : graph.node('Concat', [input, input, input], [n, 3, height, width], { axis: { int: 1 } });
  const pads = graph.integers([0, 0, 0, 0, 0, 0, rows - height, columns - width]);
  const whole =
    rows === height && columns === width
      ? colour
      : graph.node('Pad', [colour, pads, graph.scalar(grey)], [n, 3, rows, columns]);
  graph.alias(whole, backbone.input);
  graph.include(parts);
  const map = (name: MapName): Value => ({ name, shape: mapShape(name, n, size) });
  return { s8: map('s8'), s16: map('s16'), s32: map('s32') };
}

/** Maps that were computed before, as the graph's inputs. */
function givenMaps(batch: number, size: MapSize): Record<MapName, Value> {
  const map = (name: MapName): Value => ({ name, shape: mapShape(name, batch, size) });
  return { s8: map('s8'), s16: map('s16'), s32: map('s32') };
}

const mapEnds = (batch: number | string, size: MapSize): ValueInfo[] =>
  mapNames.map((name) => ({ name, shape: [batch, ...mapShape(name, 1, size).slice(1)] }));

/** `input` [N, channels, height, width] to the maps `s8`, `s16` and `s32`. */
export function mapsGraph(parts: GraphParts, input: InputShape): Uint8Array {
  const graph = new GraphBuilder();
  backboneMaps(graph, parts, { name: 'input', shape: [1, input.channels, input.height, input.width] });
  const inputs = [{ name: 'input', shape: ['N', input.channels, input.height, input.width] }];
  const outputs = mapEnds('N', mapSizeOf(input));
  const { nodes, initialisers } = graph;
  return encodeModel({ name: 'maps', nodes, inputs, outputs, initialisers, metadata: {} });
}

/** One step on the maps of a batch. Inputs beside them: what targets.ts makes, and two numbers that its sums are multiplied by. */
export function trainingGraph(
  { input, classes, width, standards }: DetectorShape,
  batch: number,
  output: 'step' | 'gradients' = 'step',
): { bytes: Uint8Array; parameters: Parameter[] } {
  const builder = trainingBuilder();
  const { graph, parameters } = builder;
  const size = mapSizeOf(input);
  const places = (channels: number): number[] => [batch, channels, size.rows, size.columns];
  const { heat, box } = detectionHead(builder, givenMaps(batch, size), standards, {
    classes: classes.length,
    width,
  });
  const given = {
    centres: { name: 'centres', shape: places(classes.length) },
    elsewhere: { name: 'elsewhere', shape: places(classes.length) },
    box: { name: 'box', shape: places(4) },
    boxWeight: { name: 'boxWeight', shape: places(1) },
    heatShare: { name: 'heatShare', shape: [] },
    boxShare: { name: 'boxShare', shape: [] },
  };
  const heatLoss = focalLoss(graph, heat, given.centres, given.elsewhere, given.heatShare);
  const sideLoss = boxLoss(graph, box, given.box, given.boxWeight, given.boxShare);
  graph.alias(graph.node('Add', [heatLoss, sideLoss], []), 'loss');
  const ends = {
    inputs: [...mapEnds(batch, size), ...Object.values(given)],
    outputs: [{ name: 'loss', shape: [] }],
  };
  return { bytes: encodeTraining(graph, parameters, ends, output), parameters };
}

/** Column and row of the middle of each place, [1, 1, rows, columns], in pixels of the input. */
function middles(graph: GraphBuilder, { rows, columns }: MapSize): { x: Value; y: Value } {
  const shape = [1, 1, rows, columns];
  const places = Array.from({ length: rows * columns }, (_, place) => place);
  const middle = (index: number): number => (index + 0.5) * stride;
  return {
    x: graph.tensor(
      'middle.x',
      shape,
      Float32Array.from(places, (place) => middle(place % columns)),
    ),
    y: graph.tensor(
      'middle.y',
      shape,
      Float32Array.from(places, (place) => middle(Math.floor(place / columns))),
    ),
  };
}

/** The four numbers of each place as x1, y1, x2, y2 in pixels of the input: [n, 4, rows, columns]. */
function corners(graph: GraphBuilder, box: Value, size: MapSize): Value {
  const [n] = shape4(box);
  const one = [n, 1, size.rows, size.columns];
  const node = (op: string, ...inputs: Value[]): Value => graph.node(op, inputs, one);
  const part = (from: number): Value =>
    graph.node('Slice', [box, graph.integers([from]), graph.integers([from + 1]), graph.integers([1])], one);
  const middle = middles(graph, size);
  const half = (logarithm: Value): Value => {
    const clipped = node('Clip', logarithm, graph.scalar(leastLogarithm), graph.scalar(mostLogarithm));
    return node('Mul', node('Exp', clipped), graph.scalar(usualSide / 2));
  };
  const x = node('Add', node('Mul', part(0), graph.scalar(stride)), middle.x);
  const y = node('Add', node('Mul', part(1), graph.scalar(stride)), middle.y);
  const [halfWidth, halfHeight] = [half(part(2)), half(part(3))];
  const sides = [
    node('Sub', x, halfWidth),
    node('Sub', y, halfHeight),
    node('Add', x, halfWidth),
    node('Add', y, halfHeight),
  ];
  return graph.node('Concat', sides, [n, 4, size.rows, size.columns], { axis: { int: 1 } });
}

/**
 * Adds the outputs `boxes` [N, K, 4] and `scores` [N, K, classes]: of the places where a class has a peak of the heat map (no
 * neighbour is surer), the K surest. That is CenterNet's own suppression of doubles.
 */
function answer(graph: GraphBuilder, heat: Value, box: Value, size: MapSize): ValueInfo[] {
  const [n, classes, rows, columns] = shape4(heat);
  const places = rows * columns;
  const kept = Math.min(answered, places);
  const scores = graph.node('Sigmoid', [heat], heat.shape);
  const neighbours = graph.node('MaxPool', [scores], heat.shape, {
    kernel_shape: { ints: [3, 3] },
    pads: { ints: [1, 1, 1, 1] },
    strides: { ints: [1, 1] },
  });
  const isPeak = graph.node('GreaterOrEqual', [scores, neighbours], heat.shape);
  const peaks = graph.node('Where', [isPeak, scores, graph.scalar(0)], heat.shape);
  const best = graph.node('ReduceMax', [peaks], [n, rows, columns], { axes: { ints: [1] }, keepdims: { int: 0 } });
  // 0 keeps the first dimension, pictures, as it is
  const flat = graph.node('Reshape', [best, graph.integers([0, places])], [n, places]);
  graph.nodes.push({
    op: 'TopK',
    inputs: [flat.name, graph.integers([kept]).name],
    outputs: ['top.scores', 'top.places'],
  });
  const top = graph.node('Unsqueeze', [{ name: 'top.places', shape: [n, kept] }, graph.integers([2])], [n, kept, 1]);
  const pick = (map: Value, channels: number, name: string): void => {
    const rowsOf = graph.node('Reshape', [map, graph.integers([0, channels, places])], [n, channels, places]);
    const byPlace = graph.node('Transpose', [rowsOf], [n, places, channels], { perm: { ints: [0, 2, 1] } });
    graph.alias(graph.node('GatherND', [byPlace, top], [n, kept, channels], { batch_dims: { int: 1 } }), name);
  };
  pick(corners(graph, box, size), 4, 'boxes');
  pick(peaks, classes, 'scores');
  return [
    { name: 'boxes', shape: ['N', kept, 4] },
    { name: 'scores', shape: ['N', kept, classes] },
  ];
}

/** What the head answers on maps: `boxes` and `scores` as the served model gives them. The weights are inputs. */
export function evaluationGraph({ input, classes, width, standards }: DetectorShape): {
  bytes: Uint8Array;
  shapes: Map<string, number[]>;
} {
  const builder = servingBuilder();
  const { graph, values } = builder;
  const size = mapSizeOf(input);
  const { heat, box } = detectionHead(builder, givenMaps(1, size), standards, { classes: classes.length, width });
  const outputs = answer(graph, heat, box, size);
  const inputs = [...mapEnds('N', size), ...values];
  const { nodes, initialisers } = graph;
  const bytes = encodeModel({ name: 'evaluation', nodes, inputs, outputs, initialisers, metadata: {} });
  return { bytes, shapes: new Map(values.map(({ name, shape }) => [name, shape])) };
}

/** The model: normalisation, backbone, head and decoding in one graph, the weights inside. Throws where one is missing. */
export function servingGraph(
  parts: GraphParts,
  { input, classes, width, standards }: DetectorShape,
  weights: Weights,
  metadata: Record<string, string>,
): Uint8Array {
  const builder: Builder & { values: Value[] } = servingBuilder();
  const { graph, values } = builder;
  const shape = [1, input.channels, input.height, input.width];
  const maps = backboneMaps(graph, parts, { name: 'input', shape });
  const { heat, box } = detectionHead(builder, maps, standards, { classes: classes.length, width });
  const outputs = answer(graph, heat, box, mapSizeOf(input));
  const initialisers = [...graph.initialisers];
  for (const { name, shape: dims } of values) {
    const data = weights.get(name);
    if (data === undefined) throw new Error(`no weights for ${name}`);
    initialisers.push({ name, dims, data });
  }
  const inputs = [{ name: 'input', shape: ['N', input.channels, input.height, input.width] }];
  return encodeModel({ name: 'detector', nodes: graph.nodes, inputs, outputs, initialisers, metadata });
}
