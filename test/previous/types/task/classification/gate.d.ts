/** The gate of classifiers: may a candidate replace the champion? Computed by the backend alone, on the test split. */
import type { Verdict } from '../verdict.ts';
import type { Rules } from './settings.ts';
import { type Baseline } from './baseline.ts';
import { type Compared } from './metrics.ts';
export interface ClassVerdict extends Verdict {
  /** 0 where there is no sample */
  accuracy: number;
  /** exact 95 % interval of the accuracy */
  interval: {
    low: number;
    high: number;
  };
  champion: {
    model: number;
    accuracy: number;
    onlyChampionRight: number;
    onlyCandidateRight: number;
    pValue: number;
  } | null;
  /** missing where there is no sample */
  baseline?: Baseline;
}
/**
 * Decides: rejected when below a minimum, when not worth more than always answering the most frequent class, or when the
 * paired test finds the champion better beyond maxRegression. A rule that cannot be judged decides nothing and says so.
 */
export declare function decide(
  assessed: readonly Compared[],
  classes: readonly string[],
  settings: Rules,
  championModel: number | null,
): ClassVerdict;
