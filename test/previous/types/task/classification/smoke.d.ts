/** What training keeps of a classifier's answers, and whether a served one answers the same. */
import * as z from 'zod';
import type { Answer, KeptAnswer } from '../models.ts';
export interface KeptProbabilities extends KeptAnswer {
  probabilities: number[];
}
/** A probability for each class, in their order. */
export declare function keptAnswer(classes: readonly string[]): z.ZodObject<
  {
    probabilities: z.ZodArray<z.ZodNumber>;
  },
  z.core.$strip
>;
/** The same in words. */
export declare const sayKeptAnswer: (classes: readonly string[]) => string;
/** By how much the worst class is off, where that is more than rounding. No answer is off by more than any. */
export declare function departs({ probabilities }: KeptProbabilities, { outputs, classes }: Answer): string | undefined;
