import { expect, test } from 'vitest';
import { departs, keptAnswer, type KeptProbabilities } from '../../../../shared/task/classification/smoke.ts';
import { answerOf } from './answers.ts';

const classes = ['cat', 'dog'];
const kept: KeptProbabilities = { md5: 'a'.repeat(32), probabilities: [0.25, 0.75] };

test('a served model that rounds otherwise agrees with training; one that answers otherwise, or nothing, does not', () => {
  const of = (...probabilities: number[]) => departs(kept, { outputs: answerOf(probabilities), classes });
  expect(of(0.2505, 0.7495)).toBeUndefined();
  expect(of(0.5, 0.5)).toBe('scores 0.2500 off what training kept');
  expect(of(Number.NaN, Number.NaN)).toContain('off what training kept');
});

test.each([
  [{ probabilities: [0.5, 0.5, 0] }, 'is for other classes'],
  [{ probabilities: [1.5, 0] }, 'has numbers that are no probabilities'],
  [{ probabilities: 'none' }, 'has no probabilities'],
  [{}, 'has no probabilities'],
])('what training cannot have meant is refused: %o', (answer, message) => {
  expect(keptAnswer(classes).safeParse(answer).error?.issues[0]?.message).toBe(message);
});
