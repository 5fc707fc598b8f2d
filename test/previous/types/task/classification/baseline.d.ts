import { type Compared, type Measured } from './metrics.ts';
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
export declare function compareWithBaseline(
  assessed: readonly Compared[],
  classes: readonly string[],
  measured: Pick<Measured, 'confusion' | 'unanswered'>,
): Baseline;
/**
 * Whether a candidate is worth more than the baseline, in a sentence. It fails when the paired test finds the baseline
 * better. Where few samples leave that open, it fails when it is right less often and not shown to recognise the other
 * classes, or recognises none of their samples: then nothing speaks for it. A model that finds what is rare passes,
 * though it may be right a little less often. 'noted': there is nothing to compare by.
 */
export declare function aboveBaseline(
  { class: most, accuracy, onlyBaselineRight, onlyCandidateRight, pValue }: Baseline,
  samples: number,
  confidence: number,
): {
  outcome: 'passed' | 'failed' | 'noted';
  text: string;
};
