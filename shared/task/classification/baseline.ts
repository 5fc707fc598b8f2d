/** The least that a model must be worth: more than always answering the most frequent class. */
import { drawnTail } from '../../evaluation/binomial.ts';
import { type Compared, type Measured, supportOf } from './metrics.ts';
import { pairedTest } from '../../evaluation/paired-test.ts';
import { p, percent } from '../../evaluation/sentence.ts';

/** How a candidate compares with one that always answers the class which most test samples have. */
export interface Baseline {
  class: string;
  accuracy: number;
  onlyBaselineRight: number;
  onlyCandidateRight: number;
  /** of the one-sided paired test: small means that the baseline is better */
  pValue: number;
}

/** Compares with the baseline on the same samples; there is at least one. */
export function compareWithBaseline(
  assessed: readonly Compared[],
  classes: readonly string[],
  measured: Pick<Measured, 'confusion' | 'unanswered'>,
): Baseline {
  const support = supportOf(measured);
  const most = support.indexOf(Math.max(...support));
  const right = assessed.filter(({ truth, candidate }) => truth === candidate);
  const onlyCandidateRight = right.filter(({ truth }) => truth !== most).length;
  const onlyBaselineRight = (support[most] ?? 0) - (right.length - onlyCandidateRight);
  return {
    class: classes[most] ?? '',
    accuracy: (support[most] ?? 0) / assessed.length,
    onlyBaselineRight,
    onlyCandidateRight,
    pValue: pairedTest(onlyBaselineRight, onlyCandidateRight, assessed.length, 0),
  };
}

/**
 * Whether a candidate is worth more than the baseline, in a sentence. It fails when the paired test finds the baseline
 * better. Where few samples leave that open, it fails when it is right less often and not shown to recognise the other
 * classes, or recognises none of their samples: then nothing speaks for it. A model that finds what is rare passes,
 * though it may be right a little less often. 'noted': there is nothing to compare by.
 */
export function aboveBaseline(
  { class: most, accuracy, onlyBaselineRight, onlyCandidateRight, pValue }: Baseline,
  samples: number,
  confidence: number,
): { outcome: 'passed' | 'failed' | 'noted'; text: string } {
  const ofMost = Math.round(accuracy * samples);
  const others = samples - ofMost;
  if (others === 0 && onlyBaselineRight === 0) {
    const text = `every test sample is of "${most}": nothing tells the model from one that always answers "${most}"`;
    return { outcome: 'noted', text };
  }
  const told = `always answering "${most}" is right in ${percent(accuracy)} (${ofMost} of ${samples}); only that right ${onlyBaselineRight}, only the model right ${onlyCandidateRight}`;
  const failed = (why: string) => ({
    outcome: 'failed' as const,
    text: `${told}; ${why}. Add samples of the other classes, or set gate.baseline to "noted"`,
  });
  const passed = (why: string) => ({ outcome: 'passed' as const, text: `${told}; ${why}` });
  const significance = 1 - confidence;
  if (pValue < significance) return failed(`that is better (${p(pValue)})`);
  if (onlyCandidateRight === 0) return failed(`the model recognises none of the ${others} samples of other classes`);
  if (onlyCandidateRight >= onlyBaselineRight) {
    const better = pairedTest(onlyCandidateRight, onlyBaselineRight, samples, 0);
    if (better < significance) return passed(`the model is better (${p(better)})`);
    return passed(`the model is no worse, and too few samples tell whether it is better (${p(better)})`);
  }
  // of the samples where the two differ more are of other classes than chance would put there
  const departures = onlyCandidateRight + onlyBaselineRight;
  const chance = drawnTail(onlyCandidateRight, departures, others, samples);
  if (chance < significance)
    return passed(`that is not surely better (${p(pValue)}), and the model recognises other classes (${p(chance)})`);
  return failed(`that is right more often, and the model is not shown to recognise other classes (${p(chance)})`);
}
