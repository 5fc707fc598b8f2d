/** What a classifier says a picture shows. */
import type { Answer } from '../models.ts';
export interface ClassPrediction {
  /** the most probable one */
  class: string;
  probabilities: Record<string, number>;
}
/** Index of the greatest number. */
export declare function best(values: Float32Array): number;
/** Names what the outputs say, with six decimals; null where they are no probabilities. */
export declare function decode({ outputs, classes }: Answer): ClassPrediction | null;
/** Why there is no prediction. */
export declare const noAnswer = 'its numbers are no probabilities (not-a-number, or none that sum to 1)';
/** Least confidence (Settles, Active Learning Literature Survey, 3.1), scaled so that equal probabilities give 1. */
export declare function uncertainty({ probabilities }: ClassPrediction): number;
