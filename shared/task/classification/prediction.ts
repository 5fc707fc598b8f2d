/** What a classifier says a picture shows. */
import type { Answered } from '../models.ts';
import { probabilitiesOf } from './ends.ts';

export interface ClassPrediction {
  /** the most probable one */
  class: string;
  probabilities: Record<string, number>;
}

/** Index of the greatest number. */
export function best(values: Float32Array): number {
  let at = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[at] ?? 0)) at = i;
  return at;
}

const round = (p: number): number => Math.round(p * 1e6) / 1e6;

/** Names what the outputs say, with six decimals; null where they are no probabilities. */
export function decode({ outputs, classes }: Pick<Answered, 'outputs' | 'classes'>): ClassPrediction | null {
  const row = probabilitiesOf(outputs, classes.length);
  if (row === null) return null;
  const probabilities = Object.fromEntries(classes.map((name, i) => [name, round(row[i] ?? 0)]));
  return { class: classes[best(row)] ?? '', probabilities };
}

/** Why there is no prediction. */
export const noAnswer = 'its numbers are no probabilities (not-a-number, or none that sum to 1)';

/** Least confidence (Settles, Active Learning Literature Survey, 3.1), scaled so that equal probabilities give 1. */
export function uncertainty({ probabilities }: ClassPrediction): number {
  const values = Object.values(probabilities);
  const most = Math.max(0, ...values);
  return Math.min(1, Math.max(0, ((1 - most) * values.length) / Math.max(1, values.length - 1)));
}
