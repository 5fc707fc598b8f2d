/** Predictions of classifiers as rows of a table. */
import type { ClassPrediction } from './prediction.ts';
/** What the columns are called: the class, then how probable each is. */
export declare const columns: (classes: readonly string[]) => string[];
/** The cells of a prediction; empty where there is none. */
export declare const cells: (prediction: ClassPrediction | null, classes: readonly string[]) => (string | number)[];
