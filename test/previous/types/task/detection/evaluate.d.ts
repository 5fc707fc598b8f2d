/** How good a detector is, and whether it may go live. */
import type { Evaluation } from '../models.ts';
import type { Assessed } from './assessment.ts';
import { type DetectorVerdict } from './gate.ts';
import { type Measured } from './metrics.ts';
/** Measures a candidate, applies the rules of the gate, and notes what the test samples cannot say of it. */
export declare function evaluate(evaluation: Evaluation<Assessed>): {
  metrics: Measured;
  verdict: DetectorVerdict;
};
