import { describe, expect, test } from 'vitest';
import {
  emptyTargets,
  type TargetBox,
  targetBox,
  writeTargets,
} from '../../../../trainers/embedded/detection/targets.ts';

const size = { rows: 8, columns: 12 };
const places = size.rows * size.columns;
const box: TargetBox = { label: 1, x1: 16, y1: 8, x2: 64, y2: 40, ignored: false };
/** of a single picture with two classes */
function targetsOf(boxes: TargetBox[]) {
  const targets = emptyTargets(1, 2, size);
  // what was there before must not stay
  for (const data of Object.values(targets)) data.fill(0.5);
  writeTargets(targets, 0, boxes, 2, size);
  return targets;
}
const at = (row: number, column: number, channel = 0): number => channel * places + row * size.columns + column;

describe('targets', () => {
  test('have one centre for each box, which counts nowhere as a place without one', () => {
    const { centres, elsewhere } = targetsOf([box]);
    expect([...centres.keys()].filter((i) => centres[i] === 1)).toEqual([at(3, 5, 1)]);
    expect(elsewhere[at(3, 5, 1)]).toBe(0);
    // neighbours may be taken for it, places further off and other classes not
    expect(elsewhere[at(3, 4, 1)]).toBeLessThan(0.4);
    expect(elsewhere[at(3, 0, 1)]).toBe(1);
    expect(elsewhere[at(3, 5, 0)]).toBe(1);
  });

  test('have the box at its centre and beside it, from which it can be told', () => {
    const { box: numbers, boxWeight } = targetsOf([box]);
    for (const [row, column] of [
      [3, 5],
      [3, 4],
    ] as const) {
      const four = Array.from({ length: 4 }, (_, i) => numbers[at(row, column, i)]);
      expect(four).toEqual([...Float32Array.from(targetBox(box, row, column))]);
      const [right = 0, down = 0, width = 0, height = 0] = four;
      expect((column + 0.5 + right) * 8).toBeCloseTo(40);
      expect((row + 0.5 + down) * 8).toBeCloseTo(24);
      expect([Math.exp(width) * 64, Math.exp(height) * 64].map(Math.round)).toEqual([48, 32]);
    }
    expect(boxWeight[at(3, 5)]).toBe(1);
    expect(boxWeight[at(0, 0)]).toBe(0);
  });

  test('learn nothing of a crowd from where it is', () => {
    const { centres, elsewhere, boxWeight } = targetsOf([{ ...box, ignored: true }]);
    expect(Math.max(...centres, ...boxWeight)).toBe(0);
    expect(elsewhere[at(2, 3, 1)]).toBe(0);
    expect(elsewhere[at(2, 3, 0)]).toBe(1);
    expect(elsewhere[at(6, 3, 1)]).toBe(1);
  });

  test('give a place that two objects share to the smaller one, and take boxes at every edge', () => {
    const small = { ...box, label: 0, x1: 36, y1: 20, x2: 44, y2: 28 };
    for (const boxes of [
      [box, small],
      [small, box],
    ]) {
      const { box: numbers, centres } = targetsOf(boxes);
      expect(Math.exp(numbers[at(3, 5, 2)] ?? 0) * 64).toBeCloseTo(8);
      expect(centres.reduce((sum, value) => sum + value, 0)).toBe(2);
    }
    const { centres } = targetsOf([
      { ...box, x1: 0, x2: 0.5, y1: 0, y2: 0.5 },
      { ...box, x1: 95, x2: 96, y1: 63, y2: 64 },
    ]);
    expect([centres[at(0, 0, 1)], centres[at(7, 11, 1)]]).toEqual([1, 1]);
  });
});
