/** What training makes small: how wrong heat map and boxes are. */
import type { GraphBuilder, Value } from '../graph-builder.ts';

/**
 * Penalty-reduced focal loss of logits (Law and Deng 2018, equation 1), summed: at `centres`, which are 1 or 0, it is
 * -(1 - p)^2 log p, elsewhere -p^2 log(1 - p) times the weights `elsewhere`; times `share`, a number. Starts the gradient.
 */
export function focalLoss(graph: GraphBuilder, logits: Value, centres: Value, elsewhere: Value, share: Value): Value {
  const { shape } = logits;
  const node = (op: string, ...inputs: Value[]): Value => graph.node(op, inputs, shape);
  const p = node('Sigmoid', logits);
  const rest = node('Sigmoid', node('Neg', logits));
  // -log p and -log(1 - p), which stay finite
  const missed = node('Softplus', node('Neg', logits));
  const claimed = node('Softplus', logits);
  const two = graph.scalar(2);
  const atCentres = node('Mul', centres, node('Mul', rest, rest));
  const atOthers = node('Mul', elsewhere, node('Mul', p, p));
  const losses = node('Add', node('Mul', atCentres, missed), node('Mul', atOthers, claimed));
  // d/dlogit: -(1 - p)^2 (2 p (-log p) + 1 - p), and p^2 (2 (1 - p) (-log(1 - p)) + p)
  const upwards = node('Mul', atCentres, node('Add', node('Mul', two, node('Mul', p, missed)), rest));
  const downwards = node('Mul', atOthers, node('Add', node('Mul', two, node('Mul', rest, claimed)), p));
  graph.accumulate(logits, node('Mul', node('Sub', downwards, upwards), share));
  return scaledSum(graph, losses, share);
}

/** Where a smooth L1 turns from a parabola into a line. */
const turn = 0.25;

/** Smooth L1 (Girshick 2015) of boxes [n, 4, rows, columns], weighted by place [n, 1, rows, columns], summed, times `share`. Starts the gradient. */
export function boxLoss(graph: GraphBuilder, box: Value, target: Value, weight: Value, share: Value): Value {
  const { shape } = box;
  const node = (op: string, ...inputs: Value[]): Value => graph.node(op, inputs, shape);
  const difference = node('Sub', box, target);
  const near = node('Clip', difference, graph.scalar(-turn), graph.scalar(turn));
  // near (difference - near / 2) / turn: a half of the square over turn, or the line that goes on from there
  const half = node('Mul', near, graph.scalar(0.5));
  const losses = node('Mul', node('Mul', near, node('Sub', difference, half)), graph.scalar(1 / turn));
  const slope = node('Mul', near, graph.scalar(1 / turn));
  graph.accumulate(box, node('Mul', node('Mul', slope, weight), share));
  return scaledSum(graph, node('Mul', losses, weight), share);
}

function scaledSum(graph: GraphBuilder, losses: Value, share: Value): Value {
  const sum = graph.node('ReduceSum', [losses], [], { keepdims: { int: 0 } });
  return graph.node('Mul', [sum, share], []);
}
