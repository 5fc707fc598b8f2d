/** The evaluation gate: may a candidate replace the champion? Computed by the backend alone, on the test split. */
import type { ProjectSettings } from '../project.ts';
/** Per test sample: class indexes of the truth, the candidate's answer and the champion's (null: no champion). */
export interface Judged {
  truth: number;
  candidate: number;
  champion: number | null;
}
export interface Verdict {
  decision: 'approved' | 'rejected';
  /** sentences for people: every rule that was looked at, with its counts */
  reasons: string[];
  samples: number;
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
}
export interface Measured {
  accuracy: number;
  samples: number;
  recall: Record<string, number>;
  confusion: number[][];
}
/** Accuracy, recall per class and confusion matrix (rows: truth) of the candidate. */
export declare function measure(judged: readonly Judged[], classes: readonly string[]): Measured;
/**
 * One-sided paired test on discordant pairs (exact McNemar with a margin): under "the champion is better by exactly
 * `margin`", a discordant pair favours the champion with probability (1 + margin * n / discordant) / 2.
 * Returns the probability of at least this many pairs for the champion; small means it is better beyond the margin.
 */
export declare function pairedTest(
  onlyChampion: number,
  onlyCandidate: number,
  samples: number,
  margin: number,
): number;
/** Decides; rejected only when below a minimum, or when the paired test finds the champion better beyond maxRegression. */
export declare function judge(
  judged: readonly Judged[],
  classes: readonly string[],
  settings: ProjectSettings['gate'],
  championModel: number | null,
): Verdict;
