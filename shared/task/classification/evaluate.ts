/** How good a classifier is, and whether it may go live. */
import type { Evaluation } from '../models.ts';
import { type ClassVerdict, decide } from './gate.ts';
import { type Compared, measure, type Measured } from './metrics.ts';
import { settings } from './settings.ts';
import { caveats } from './caveats.ts';

/** Measures a candidate, applies the rules of the gate, and notes what the test samples cannot say of it. */
export function evaluate(evaluation: Evaluation<Compared>): { metrics: Measured; verdict: ClassVerdict } {
  const { assessed, unreadable, classes, version, gate, champion } = evaluation;
  const metrics = measure(assessed, classes);
  const verdict = decide(assessed, classes, settings.gate.parse(gate), champion?.number ?? null);
  // those that cannot be read are of classes that the model knows
  const read = { ...metrics, samples: assessed.length + unreadable };
  verdict.reasons.push(...caveats(read, classes, version, champion?.classes ?? []));
  const unanswered = (metrics.unanswered ?? []).reduce((a, b) => a + b, 0);
  if (unanswered > 0)
    verdict.reasons.push(`noted: ${unanswered} test samples got no answer (not-a-number), which counts as a wrong one`);
  return { metrics, verdict };
}
