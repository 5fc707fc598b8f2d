/** What training keeps of a classifier's answers, and whether a served one answers the same. */
import * as z from 'zod';
import type { Answered, KeptAnswer } from '../models.ts';
import { probabilitiesOf } from './ends.ts';

export interface KeptProbabilities extends KeptAnswer {
  probabilities: number[];
}

/** Training and serving run the same graph on the same pixels; other machines differ in the last digits. */
const tolerance = 1e-3;

/** A probability for each class, in their order. */
export function keptAnswer(classes: readonly string[]) {
  const error = 'has numbers that are no probabilities';
  const probability = z.number({ error }).min(0, { error }).max(1, { error });
  return z.object({
    probabilities: z
      .array(probability, { error: 'has no probabilities' })
      .length(classes.length, { error: 'is for other classes' }),
  });
}

/** The same in words. */
export const sayKeptAnswer = (classes: readonly string[]): string =>
  `${classes.length} probabilities, one for each class`;

/** By how much the worst class is off, where that is more than rounding. No answer is off by more than any. */
export function departs(
  { probabilities }: KeptProbabilities,
  { outputs, classes }: Pick<Answered, 'outputs' | 'classes'>,
): string | undefined {
  const served = probabilitiesOf(outputs, classes.length);
  const worst = Math.max(...probabilities.map((p, i) => Math.abs(p - (served?.[i] ?? 2))));
  return worst > tolerance ? `scores ${worst.toFixed(4)} off what training kept` : undefined;
}
