/**
 * The network on top of the backbone: centres of objects as a heat map of each class, and a box at each place
 * (CenterNet, Zhou et al. 2019), at an eighth of the input's rows and columns.
 */
import { backbone } from '../../../shared/onnx/backbone.ts';
import type { GraphBuilder, Value } from '../graph-builder.ts';
import { add, enlarge, relu } from '../layers.ts';
import type { Builder } from '../network.ts';

export const mapNames = ['s8', 's16', 's32'] as const;
export type MapName = (typeof mapNames)[number];

/** Pixels of the input from one place of the heat map to the next. */
export const stride = backbone.maps.s8.stride;

/** The maps of one picture: rows and columns of the finest one, whose sizes are multiples of four. */
export interface MapSize {
  rows: number;
  columns: number;
}

/** Shape of a map of `count` pictures. */
export function mapShape(name: MapName, count: number, { rows, columns }: MapSize): number[] {
  const { channels, stride: step } = backbone.maps[name];
  return [count, channels, (rows * stride) / step, (columns * stride) / step];
}

/** What each channel of each map is shifted and multiplied by, so that it has mean 0 and variance 1. */
export type Standards = Record<MapName, { shift: Float32Array; scale: Float32Array }>;

function standardised(graph: GraphBuilder, map: Value, name: MapName, standards: Standards): Value {
  const { shift, scale } = standards[name];
  const shape = [1, shift.length, 1, 1];
  const centred = graph.node('Add', [map, graph.tensor(`${name}.shift`, shape, shift)], map.shape);
  return graph.node('Mul', [centred, graph.tensor(`${name}.scale`, shape, scale)], map.shape);
}

/** Probability of a centre that the heat map begins with: with a half, everywhere would be wrong at first (Lin et al. 2017). */
const firstProbability = 0.01;

/** Logits of the heat map [n, classes, rows, columns], and the four numbers of a box at each place, as `targetBox` has them. */
export function detectionHead(
  builder: Builder,
  maps: Record<MapName, Value>,
  standards: Standards,
  { classes, width }: { classes: number; width: number },
): { heat: Value; box: Value } {
  const { graph } = builder;
  const levels = mapNames.map((name) => {
    // three of these are added up
    const projected = builder.convolution(
      standardised(graph, maps[name], name, standards),
      `project.${name}`,
      width,
      1,
      { gain: 1 / mapNames.length },
    );
    const factor = backbone.maps[name].stride / stride;
    return factor === 1 ? projected : enlarge(graph, projected, factor);
  });
  let x = relu(
    graph,
    levels.reduce((sum, level) => add(graph, sum, level)),
  );
  x = relu(graph, builder.convolution(x, 'first', width, 3));
  x = relu(graph, builder.convolution(x, 'second', width, 3));
  const centre = Math.log(firstProbability / (1 - firstProbability));
  return {
    heat: builder.convolution(x, 'heat', classes, 1, { gain: 0.1, centre }),
    box: builder.convolution(x, 'box', 4, 1, { gain: 0.1 }),
  };
}
