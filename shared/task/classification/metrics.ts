/** What a classifier got right on the test samples, in all and class by class. */
import * as z from 'zod';
import type { Answered } from '../models.ts';
import type { Labelled } from './annotation.ts';
import { probabilitiesOf } from './ends.ts';
import { best } from './prediction.ts';

/** Class indexes of what a test sample shows and of what the models answered. No class of the candidate is one more than there are. */
export const compared = z.object({
  truth: z.int(),
  candidate: z.int(),
  /** null: there is no champion */
  champion: z.int().nullable(),
});
export type Compared = z.infer<typeof compared>;

/** Compares answers by name: the champion may know other classes. A model without an answer is wrong, whatever is right. */
export function assess({ label }: Labelled, candidate: Answered, champion: Answered | null): Compared {
  const { classes } = candidate;
  const indexOf = (answered: Answered): number => {
    const row = probabilitiesOf(answered.outputs, answered.classes.length);
    const index = row === null ? -1 : classes.indexOf(answered.classes[best(row)] ?? '');
    return index === -1 ? classes.length : index;
  };
  return {
    truth: classes.indexOf(label),
    candidate: indexOf(candidate),
    champion: champion === null ? null : indexOf(champion),
  };
}

export interface Measured {
  /** 0 where there is no sample */
  accuracy: number;
  samples: number;
  /** of the classes that have test samples */
  recall: Record<string, number>;
  /** rows: truth, columns: prediction, in the order of the classes */
  confusion: number[][];
  /** samples of each class that the model has no answer for (not-a-number), in the order of the classes; missing: none */
  unanswered?: number[];
}

/** What says how many samples of a class there are. */
type Counted = Pick<Measured, 'confusion' | 'unanswered'>;

/** Accuracy, recall per class and confusion matrix of the candidate. */
export function measure(assessed: readonly Compared[], classes: readonly string[]): Measured {
  const confusion = classes.map(() => classes.map(() => 0));
  const unanswered = classes.map(() => 0);
  for (const { truth, candidate } of assessed) {
    const row = confusion[truth];
    if (row?.[candidate] !== undefined) row[candidate] += 1;
    else if (unanswered[truth] !== undefined) unanswered[truth] += 1;
  }
  const counted: Counted = { confusion, ...(unanswered.some((n) => n > 0) ? { unanswered } : {}) };
  const right = assessed.filter((one) => one.truth === one.candidate).length;
  const perClass = recallOf(counted);
  const known = classes.flatMap((name, i): [string, number][] => {
    const recall = perClass[i];
    return recall === null || recall === undefined ? [] : [[name, recall]];
  });
  const accuracy = assessed.length === 0 ? 0 : right / assessed.length;
  return { accuracy, samples: assessed.length, recall: Object.fromEntries(known), ...counted };
}

/** Test samples of each class, in the order of the classes. */
export const supportOf = ({ confusion, unanswered = [] }: Counted): number[] =>
  confusion.map((row, i) => row.reduce((a, b) => a + b, unanswered[i] ?? 0));

/** Recall of each class, in the order of the classes; null for one without a test sample. */
export function recallOf(measured: Counted): (number | null)[] {
  const support = supportOf(measured);
  return measured.confusion.map((row, i) => (support[i] ? (row[i] ?? 0) / support[i] : null));
}
