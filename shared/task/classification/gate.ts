/** The gate of classifiers: may a candidate replace the champion? Computed by the backend alone, on the test split. */
import type { Verdict } from '../verdict.ts';
import type { Rules } from './settings.ts';
import { aboveBaseline, type Baseline, compareWithBaseline } from './baseline.ts';
import { exactInterval } from '../../evaluation/binomial.ts';
import { type Compared, measure, type Measured, recallOf, supportOf } from './metrics.ts';
import { pairedTest } from '../../evaluation/paired-test.ts';
import { listed, p, percent } from '../../evaluation/sentence.ts';

export interface ClassVerdict extends Verdict {
  /** 0 where there is no sample */
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
  /** missing where there is no sample */
  baseline?: Baseline;
}

/** A class with fewer test samples is too small to judge by its recall. */
const leastForRecall = 20;

const rule = (holds: boolean, text: string): string => `${holds ? 'passed' : 'failed'}: ${text}`;

/**
 * Decides: rejected when below a minimum, when not worth more than always answering the most frequent class, or when the
 * paired test finds the champion better beyond maxRegression. A rule that cannot be judged decides nothing and says so.
 */
export function decide(
  assessed: readonly Compared[],
  classes: readonly string[],
  settings: Rules,
  championModel: number | null,
): ClassVerdict {
  const measured = measure(assessed, classes);
  const { accuracy, samples } = measured;
  const right = Math.round(accuracy * samples);
  const interval = exactInterval(right, samples, 0.95);
  const found = { samples, accuracy, interval };
  if (samples === 0) {
    const reasons = ['failed: 0 test samples, at least 1 is needed'];
    return { ...found, decision: 'rejected', reasons, champion: null };
  }
  const baseline = compareWithBaseline(assessed, classes, measured);
  const champion = championModel === null ? null : compare(assessed, championModel, settings);
  const reasons = [
    `passed: ${samples} test samples, at least 1 is needed`,
    rule(
      accuracy >= settings.minimum,
      `accuracy ${percent(accuracy)} (${right} of ${samples}, 95 % interval ${percent(interval.low)} to ${percent(interval.high)}), minimum ${percent(settings.minimum)}`,
    ),
    ...recallReasons(measured, classes, settings),
    baselineReason(baseline, samples, settings),
    championReason(champion, samples, settings),
  ];
  const isRejected = reasons.some((reason) => reason.startsWith('failed: '));
  return { ...found, decision: isRejected ? 'rejected' : 'approved', reasons, champion, baseline };
}

function recallReasons(measured: Measured, classes: readonly string[], { minimumRecall }: Rules): string[] {
  const recall = recallOf(measured);
  const all = supportOf(measured).map((support, i) => ({ name: classes[i] ?? '', support, recall: recall[i] ?? 0 }));
  const large = all.filter(({ support }) => support >= leastForRecall);
  const small = all.filter(({ support }) => support < leastForRecall);
  const weak = large.filter((one) => one.recall < minimumRecall);
  const below = weak.length === 0 ? '' : `; below: ${listed(weak.map((c) => `"${c.name}" ${percent(c.recall)}`))}`;
  const which =
    small.length === 0
      ? 'every class'
      : `the ${large.length} of ${all.length} classes that have at least ${leastForRecall} test samples`;
  const unjudged = listed(small.map(({ name, support }) => `"${name}" ${support}`));
  return [
    ...(large.length === 0
      ? []
      : [rule(weak.length === 0, `recall at least ${percent(minimumRecall)} in ${which}${below}`)]),
    ...(small.length === 0
      ? []
      : [`noted: fewer than ${leastForRecall} test samples, so not judged by recall: ${unjudged}`]),
  ];
}

function baselineReason(baseline: Baseline, samples: number, settings: Rules): string {
  const { outcome, text } = aboveBaseline(baseline, samples, settings.confidence);
  const decides = outcome !== 'failed' || settings.baseline !== 'noted';
  return `${decides ? outcome : 'noted'}: ${text}`;
}

function championReason(champion: ClassVerdict['champion'], samples: number, settings: Rules): string {
  if (champion === null) return 'noted: no champion to compare with';
  const { maxRegression, confidence } = settings;
  const told = `champion (model ${champion.model}) ${percent(champion.accuracy)} on the same samples; only the champion right ${champion.onlyChampionRight}, only the candidate right ${champion.onlyCandidateRight}`;
  const beyond = `better beyond ${percent(maxRegression)}`;
  if (champion.pValue < 1 - confidence) return `failed: ${told}; the champion is ${beyond} (${p(champion.pValue)})`;
  // even a champion that alone is right, in all of them, would not be found better
  const isTooFew = maxRegression < 1 && pairedTest(samples, 0, samples, maxRegression) >= 1 - confidence;
  if (isTooFew) return `noted: ${told}; ${samples} samples are too few to find the champion ${beyond}`;
  return `passed: ${told}; the champion is not ${beyond} (${p(champion.pValue)})`;
}

function compare(assessed: readonly Compared[], model: number, settings: Rules): NonNullable<ClassVerdict['champion']> {
  const right = assessed.filter((j) => j.champion === j.truth).length;
  const onlyChampionRight = assessed.filter((j) => j.champion === j.truth && j.candidate !== j.truth).length;
  const onlyCandidateRight = assessed.filter((j) => j.champion !== j.truth && j.candidate === j.truth).length;
  const pValue = pairedTest(onlyChampionRight, onlyCandidateRight, assessed.length, settings.maxRegression);
  return { model, accuracy: right / assessed.length, onlyChampionRight, onlyCandidateRight, pValue };
}
