/** Predictions of classifiers as rows of a table. */
import type { ClassPrediction } from './prediction.ts';

/** What the columns are called: the class, then how probable each is. */
export const columns = (classes: readonly string[]): string[] => ['class', ...classes];

/** The cells of a prediction; empty where there is none. */
export const cells = (prediction: ClassPrediction | null, classes: readonly string[]): (string | number)[] => [
  prediction?.class ?? '',
  ...classes.map((name) => prediction?.probabilities[name] ?? ''),
];
