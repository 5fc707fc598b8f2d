/** How good a detector is, and whether it may go live. */
import type { Evaluation } from '../models.ts';
import type { Assessed } from './assessment.ts';
import { caveats } from './caveats.ts';
import { decide, type DetectorVerdict } from './gate.ts';
import { measure, type Measured } from './metrics.ts';
import { settings } from './settings.ts';

/** Measures a candidate, applies the rules of the gate, and notes what the test samples cannot say of it. */
export function evaluate(evaluation: Evaluation<Assessed>): { metrics: Measured; verdict: DetectorVerdict } {
  const { assessed, classes, version, gate, champion } = evaluation;
  const metrics = measure(assessed, classes);
  const verdict = decide(assessed, metrics, classes, settings.gate.parse(gate), champion?.number ?? null);
  verdict.reasons.push(...caveats(metrics, classes, version, champion?.classes ?? []));
  return { metrics, verdict };
}
