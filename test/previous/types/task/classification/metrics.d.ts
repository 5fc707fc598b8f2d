/** What a classifier got right on the test samples, in all and class by class. */
import * as z from 'zod';
import type { Answered } from '../models.ts';
import type { Labelled } from './annotation.ts';
/** Class indexes of what a test sample shows and of what the models answered. No class of the candidate is one more than there are. */
export declare const compared: z.ZodObject<
  {
    truth: z.ZodInt;
    candidate: z.ZodInt;
    champion: z.ZodNullable<z.ZodInt>;
  },
  z.core.$strip
>;
export type Compared = z.infer<typeof compared>;
/** Compares answers by name: the champion may know other classes. A model without an answer is wrong, whatever is right. */
export declare function assess({ label }: Labelled, candidate: Answered, champion: Answered | null): Compared;
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
export declare function measure(assessed: readonly Compared[], classes: readonly string[]): Measured;
/** Test samples of each class, in the order of the classes. */
export declare const supportOf: ({ confusion, unanswered }: Counted) => number[];
/** Recall of each class, in the order of the classes; null for one without a test sample. */
export declare function recallOf(measured: Counted): (number | null)[];
export {};
