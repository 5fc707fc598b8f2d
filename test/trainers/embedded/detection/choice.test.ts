import { expect, test } from 'vitest';
import type { NamedTensors } from '../../../../shared/onnx/ends.ts';
import { isBetter } from '../../../../trainers/embedded/detection/fit.ts';
import { checkAnswers } from '../../../../trainers/embedded/detection/train.ts';

const epoch = (validationAp50: number, validationAp: number) => ({ epoch: 1, loss: 1, validationAp50, validationAp });

test('the epoch that is kept is the first of the best, and the last of those that find nothing', () => {
  expect(isBetter(epoch(0.5, 0.2), epoch(0.5, 0.1))).toBe(true);
  expect(isBetter(epoch(0.5, 0.1), epoch(0.5, 0.1))).toBe(false);
  // validation shows no object, or the network has found none of them yet
  expect(isBetter(epoch(0, 0), epoch(0, 0))).toBe(true);
  expect(isBetter(epoch(0, 0), epoch(0.1, 0))).toBe(false);
});

/** Scores of two classes at each place. */
const answer = (...scores: [number, number][]): NamedTensors => ({
  scores: { data: Float32Array.from(scores.flat()), dims: [scores.length, 2] },
});

test('a file that is less sure of an object than the training was is refused', () => {
  expect(() => checkAnswers([answer([0.9, 0], [0, 0.5])], [answer([0.9, 0], [0, 0.51])], 2)).not.toThrow();
  expect(() => checkAnswers([answer([0.9, 0], [0, 0])], [answer([0.9, 0], [0, 0.5])], 2)).toThrow('differs by 0.5');
  expect(() => checkAnswers([answer([Number.NaN, 0])], [answer([0.9, 0])], 2)).toThrow('differs');
});

test('which class has the last place of a crowded picture says nothing', () => {
  const [made, trained] = [answer([0.95, 0], [0, 0.941]), answer([0.95, 0], [0.942, 0])];
  expect(() => checkAnswers([made], [trained], 2)).not.toThrow();
});
