/** A real detector of few operators: it sees squares of pure red and pure green that fill a cell of its input. */
import type { TinyModel } from '../../onnx/tiny-model.ts';

/** Sides of the input, and of the cells that it is looked at in. */
export const side = 64;
export const cell = 16;
const perSide = side / cell;
const cells = perSide * perSide;

export const tinyClasses = ['red', 'green'];

export interface TinyDetector {
  /** pixels by which its boxes are off, to the right and down */
  shift?: number;
  /** what scores are multiplied by: those of red, and of green */
  sureness?: [red: number, green: number];
  metadata?: Record<string, string>;
}

/** Where each cell lies, as x1, y1, x2, y2. */
const places = (shift: number): Float32Array =>
  Float32Array.from(
    Array.from({ length: cells }, (_, i) => {
      const [x, y] = [(i % perSide) * cell + shift, Math.floor(i / perSide) * cell + shift];
      return [x, y, x + cell, y + cell];
    }).flat(),
  );

/** Mean colour of each cell; how much more red or green it is than anything else; a constant place for each. */
export function tinyDetector({ shift = 0, sureness = [1, 1], metadata = {} }: TinyDetector = {}): TinyModel {
  const [red, green] = sureness.map((factor) => factor / 255) as [number, number];
  const weights = [red, -red, -red, -green, green, -green];
  const ints = (name: string, ...values: number[]) => ({
    ...{ name, dims: [values.length], data: BigInt64Array.from(values.map(BigInt)) },
  });
  const floats = (name: string, dims: number[], data: Float32Array) => ({ name, dims, data });
  const node = (op: string, inputs: string[], output: string, attributes = {}) => ({
    ...{ op, inputs, outputs: [output], attributes },
  });
  const byPlace = { perm: { ints: [0, 2, 1] } };
  const pooling = { kernel_shape: { ints: [cell, cell] }, strides: { ints: [cell, cell] } };
  return {
    name: 'tiny-detector',
    nodes: [
      node('AveragePool', ['input'], 'colours', pooling),
      node('Conv', ['colours', 'weights'], 'more'),
      node('Clip', ['more', 'zero', 'one'], 'clipped'),
      node('Reshape', ['clipped', 'rows-of-classes'], 'by-class'),
      node('Transpose', ['by-class'], 'scores', byPlace),
      node('Conv', ['colours', 'nothing'], 'nowhere'),
      node('Reshape', ['nowhere', 'rows-of-corners'], 'by-corner'),
      node('Transpose', ['by-corner'], 'origin', byPlace),
      node('Add', ['origin', 'places'], 'boxes'),
    ],
    inputs: [{ name: 'input', shape: ['N', 3, side, side] }],
    outputs: [
      { name: 'boxes', shape: ['N', cells, 4] },
      { name: 'scores', shape: ['N', cells, 2] },
    ],
    initialisers: [
      floats('weights', [2, 3, 1, 1], Float32Array.from(weights)),
      floats('nothing', [4, 3, 1, 1], new Float32Array(12)),
      floats('places', [1, cells, 4], places(shift)),
      floats('zero', [], Float32Array.of(0)),
      floats('one', [], Float32Array.of(1)),
      ints('rows-of-classes', 0, 2, cells),
      ints('rows-of-corners', 0, 4, cells),
    ],
    metadata,
  };
}

/** The surest detections of a scene: what is where, in cells. */
export interface Painted {
  colour: 'red' | 'green';
  column: number;
  row: number;
}

/** The input of a scene on black: CHW floats 0..255. */
export function paint(scene: readonly Painted[]): Float32Array {
  const input = new Float32Array(3 * side * side);
  for (const { colour, column, row } of scene)
    for (let y = row * cell; y < (row + 1) * cell; y++)
      input.fill(255, at(colour, y, column), at(colour, y, column) + cell);
  return input;
}

const at = (colour: Painted['colour'], y: number, column: number): number =>
  (tinyClasses.indexOf(colour) * side + y) * side + column * cell;
