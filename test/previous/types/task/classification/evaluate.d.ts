/** How good a classifier is, and whether it may go live. */
import type { Evaluation } from '../models.ts';
import { type ClassVerdict } from './gate.ts';
import { type Compared, type Measured } from './metrics.ts';
/** Measures a candidate, applies the rules of the gate, and notes what the test samples cannot say of it. */
export declare function evaluate(evaluation: Evaluation<Compared>): {
  metrics: Measured;
  verdict: ClassVerdict;
};
