import fc from 'fast-check';
import { expect, test } from 'vitest';
import { best, decode, uncertainty } from '../../../../shared/task/classification/prediction.ts';
import { answerOf } from './answers.ts';

const classes = ['cat', 'dog', 'owl'];
const of = (...probabilities: number[]) => decode({ outputs: answerOf(probabilities), classes });

test('the best of several numbers is the first of the greatest', () => {
  const at = (...values: number[]): number => best(Float32Array.from(values));
  expect([at(0.1, 0.7, 0.2), at(0.5, 0.5), at(-2, -1), at()]).toEqual([1, 0, 1, 0]);
});

test('a prediction names the most probable class, and every class with six decimals', () => {
  expect(of(0.1234567, 0.7765433, 0.1)).toEqual({
    class: 'dog',
    probabilities: { cat: 0.123457, dog: 0.776543, owl: 0.1 },
  });
});

test.each([
  ['not-a-number', [Number.NaN, 0.5, 0.5]],
  ['infinity', [Number.POSITIVE_INFINITY, 0, 0]],
  ['logits', [3, -1, 0.2]],
  ['a sum of two', [1, 1, 0]],
])('%s is no answer', (_what, numbers) => expect(of(...numbers)).toBeNull());

test('an answer about another number of classes is an error', () => {
  expect(() => of(0.5, 0.5)).toThrow('the model gave 2 numbers for an image of 3 classes');
  expect(() => decode({ outputs: {}, classes })).toThrow('0 numbers');
});

test('a model is sure of what has all the probability, and unsure where all classes have the same', () => {
  const unsure = (...probabilities: number[]) => uncertainty(of(...probabilities) ?? { class: '', probabilities: {} });
  expect(unsure(0, 1, 0)).toBe(0);
  expect(unsure(1 / 3, 1 / 3, 1 / 3)).toBeCloseTo(1, 5);
  expect(unsure(0.5, 0.4, 0.1)).toBeGreaterThan(unsure(0.6, 0.3, 0.1));
  const row = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(row, (values) => {
      const probabilities = Object.fromEntries(values.map((value, i) => [String(i), value]));
      const found = uncertainty({ class: '0', probabilities });
      expect(found >= 0 && found <= 1).toBe(true);
    }),
  );
});
