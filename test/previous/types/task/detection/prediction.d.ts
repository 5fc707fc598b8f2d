/** What a detector says a picture shows. */
import { type Box } from './box.ts';
import { type DetectorAnswer } from './detect.ts';
export interface DetectedBox extends Box {
  class: string;
  score: number;
}
export interface BoxPrediction {
  /** the surest first */
  boxes: DetectedBox[];
}
/** boxes that a score answers at most */
export declare const maxAnswered = 300;
/** What a detector sees above its operating threshold, the surest 300 boxes; null where its numbers are none. */
export declare function decode(answered: DetectorAnswer): BoxPrediction | null;
/** Why there is no prediction. */
export declare const noAnswer = 'its numbers are no boxes (not-a-number, or scores that are not from 0 to 1)';
/** Least confidence (Settles, Active Learning Literature Survey, 3.1) of the box that the model is least sure of; 0 without boxes. */
export declare const uncertainty: ({ boxes }: BoxPrediction) => number;
