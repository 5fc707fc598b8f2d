import type { Verdict } from '../verdict.ts';
import type { Assessed } from './assessment.ts';
import type { Measured } from './metrics.ts';
import type { Rules } from './settings.ts';
/** How the champion did on the same samples, each at its operating threshold. */
export interface Champion {
  model: number;
  found: number;
  onlyChampionFound: number;
  onlyCandidateFound: number;
  /** of the one-sided paired test over the objects: small means that the champion finds more */
  pValue: number;
  false: number;
  /** of the one-sided test on false detections: small means that the candidate has more */
  falsePValue: number;
}
export interface DetectorVerdict extends Verdict {
  ap: number | null;
  ap50: number | null;
  objects: number;
  found: number;
  false: number;
  champion: Champion | null;
}
/**
 * Decides: rejected when average precision is below its minimum, when nothing is found at the operating threshold, or when
 * exact tests find that the champion finds more objects, or the candidate sees more that is not there. A rule that cannot be
 * judged decides nothing and says so.
 */
export declare function decide(
  assessed: readonly Assessed[],
  measured: Measured,
  classes: readonly string[],
  rules: Rules,
  championModel: number | null,
): DetectorVerdict;
/**
 * One-sided test of two Poisson counts over the same pictures, given their sum (Przyborowski and Wilenski, 1940): under "the
 * candidate has exactly `1 + margin` times as many", each of them is the candidate's with the chance (1 + margin) / (2 + margin).
 * The chance of at least `candidate`; small means that it has more than that.
 */
export declare const moreFalse: (candidate: number, champion: number, margin: number) => number;
