/** The evaluation gate: may a candidate replace the champion? Computed by the backend alone, on the test split. */
import type { ProjectSettings } from '../project.ts';
import { exactInterval, upperTail } from './binomial.ts';

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
  interval: { low: number; high: number };
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

/** A class with fewer test samples is too small to judge by its recall. */
const leastForRecall = 20;

/** Accuracy, recall per class and confusion matrix (rows: truth) of the candidate. */
export function measure(judged: readonly Judged[], classes: readonly string[]): Measured {
  const confusion = classes.map(() => classes.map(() => 0));
  for (const { truth, candidate } of judged) {
    const row = confusion[truth];
    if (row?.[candidate] !== undefined) row[candidate] += 1;
  }
  const right = judged.filter((j) => j.truth === j.candidate).length;
  const recall = Object.fromEntries(
    classes.map((name, i) => {
      const row = confusion[i] ?? [];
      const total = row.reduce((a, b) => a + b, 0);
      return [name, total === 0 ? 0 : (row[i] ?? 0) / total];
    }),
  );
  return { accuracy: judged.length === 0 ? 0 : right / judged.length, samples: judged.length, recall, confusion };
}

/**
 * One-sided paired test on discordant pairs (exact McNemar with a margin): under "the champion is better by exactly
 * `margin`", a discordant pair favours the champion with probability (1 + margin * n / discordant) / 2.
 * Returns the probability of at least this many pairs for the champion; small means it is better beyond the margin.
 */
export function pairedTest(onlyChampion: number, onlyCandidate: number, samples: number, margin: number): number {
  const discordant = onlyChampion + onlyCandidate;
  if (discordant === 0) return 1;
  return upperTail(onlyChampion, discordant, Math.min(1, (1 + (margin * samples) / discordant) / 2));
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

/** Decides; rejected only when below a minimum, or when the paired test finds the champion better beyond maxRegression. */
export function judge(
  judged: readonly Judged[],
  classes: readonly string[],
  settings: ProjectSettings['gate'],
  championModel: number | null,
): Verdict {
  const { accuracy, samples, recall, confusion } = measure(judged, classes);
  const interval = exactInterval(Math.round(accuracy * samples), samples, 0.95);
  const reasons: string[] = [];
  let approved = true;
  const rule = (holds: boolean, text: string): void => {
    reasons.push(`${holds ? 'passed' : 'failed'}: ${text}`);
    approved &&= holds;
  };
  rule(samples > 0, `${samples} test samples, at least 1 is needed`);
  rule(
    accuracy >= settings.minimum,
    `accuracy ${percent(accuracy)} (${Math.round(accuracy * samples)} of ${samples}, 95 % interval ${percent(interval.low)} to ${percent(interval.high)}), minimum ${percent(settings.minimum)}`,
  );
  const weak = classes.filter((name, i) => {
    const total = (confusion[i] ?? []).reduce((a, b) => a + b, 0);
    return total >= leastForRecall && (recall[name] ?? 0) < settings.minimumRecall;
  });
  const weakest = weak.map((name) => `"${name}" ${percent(recall[name] ?? 0)}`).join(', ');
  rule(
    weak.length === 0,
    `recall of every class at least ${percent(settings.minimumRecall)}${weak.length === 0 ? '' : `; below: ${weakest}`}`,
  );
  const champion = championModel === null ? null : compare(judged, championModel, settings);
  if (champion === null) reasons.push('passed: no champion to compare with');
  else {
    const better = champion.pValue < 1 - settings.confidence;
    rule(
      !better,
      `champion (model ${champion.model}) ${percent(champion.accuracy)} on the same samples; only the champion right ${champion.onlyChampionRight}, only the candidate right ${champion.onlyCandidateRight}; ` +
        `the champion is ${better ? '' : 'not '}better beyond ${percent(settings.maxRegression)} (p = ${champion.pValue.toFixed(3)})`,
    );
  }
  return { decision: approved ? 'approved' : 'rejected', reasons, samples, accuracy, interval, champion };
}

function compare(
  judged: readonly Judged[],
  model: number,
  settings: ProjectSettings['gate'],
): NonNullable<Verdict['champion']> {
  const right = judged.filter((j) => j.champion === j.truth).length;
  const onlyChampionRight = judged.filter((j) => j.champion === j.truth && j.candidate !== j.truth).length;
  const onlyCandidateRight = judged.filter((j) => j.champion !== j.truth && j.candidate === j.truth).length;
  const pValue = pairedTest(onlyChampionRight, onlyCandidateRight, judged.length, settings.maxRegression);
  return {
    model,
    accuracy: judged.length === 0 ? 0 : right / judged.length,
    onlyChampionRight,
    onlyCandidateRight,
    pValue,
  };
}
