/** The gate of detectors: may a candidate replace the champion? Computed by the backend alone, on the test split. */
import { exactInterval, upperTail } from '../../evaluation/binomial.ts';
import { pairedTest } from '../../evaluation/paired-test.ts';
import { listed, p, percent } from '../../evaluation/sentence.ts';
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

const rule = (holds: boolean, text: string): string => `${holds ? 'passed' : 'failed'}: ${text}`;

/**
 * Decides: rejected when average precision is below its minimum, when nothing is found at the operating threshold, or when
 * exact tests find that the champion finds more objects, or the candidate sees more that is not there. A rule that cannot be
 * judged decides nothing and says so.
 */
export function decide(
  assessed: readonly Assessed[],
  measured: Measured,
  classes: readonly string[],
  rules: Rules,
  championModel: number | null,
): DetectorVerdict {
  const { samples, ap, ap50, operating } = measured;
  const { objects } = operating;
  const found = { samples, ap, ap50, ...operating };
  if (objects === 0) {
    const reasons = [`failed: ${samples} test samples with 0 objects, at least 1 object is needed`];
    return { ...found, decision: 'rejected', reasons, champion: null };
  }
  const champion = championModel === null ? null : compare(assessed, objects, championModel, rules);
  const reasons = [
    `passed: ${samples} test samples with ${objects} objects, at least 1 object is needed`,
    precisionReason(measured, classes, rules),
    operatingReason(measured),
    ...(champion === null
      ? ['noted: no champion to compare with']
      : [objectsReason(champion, measured, rules), falseReason(champion, measured, rules)]),
  ];
  const isRejected = reasons.some((reason) => reason.startsWith('failed: '));
  return { ...found, decision: isRejected ? 'rejected' : 'approved', reasons, champion };
}

const names = { ap: 'AP', ap50: 'AP50' } as const;

function precisionReason(measured: Measured, classes: readonly string[], { metric, minimum }: Rules): string {
  const value = measured[metric] ?? 0;
  const weak = classes.flatMap((name, i) => {
    const ofClass = measured.classes[i]?.[metric];
    return ofClass === null || ofClass === undefined || ofClass >= minimum ? [] : [`"${name}" ${ofClass.toFixed(3)}`];
  });
  const below = weak.length === 0 ? '' : `; below it are ${listed(weak)}, and the mean over the classes counts`;
  return rule(value >= minimum, `${names[metric]} ${value.toFixed(3)}, minimum ${minimum}${below}`);
}

const each = (count: number, samples: number): string => `${count} (${(count / samples).toFixed(2)} a picture)`;

function operatingReason({ samples, operating: { objects, found, false: wrong } }: Measured): string {
  const { low, high } = exactInterval(found, objects, 0.95);
  const share = `${percent(found / objects)} (${found} of ${objects}, 95 % interval ${percent(low)} to ${percent(high)})`;
  const text = `at its score threshold it finds ${share}, and ${each(wrong, samples)} that are not there`;
  if (found > 0) return `passed: ${text}`;
  return `failed: ${text}; an endpoint would answer nothing of use. The trainer sets score_threshold in the model's metadata_props`;
}

function compare(assessed: readonly Assessed[], objects: number, model: number, rules: Rules): Champion {
  const sums = { candidate: 0, champion: 0, both: 0, false: 0, falseBefore: 0 };
  for (const [, , , , , candidate, champion, both, wrong, wrongBefore] of assessed.flatMap((one) => one.classes)) {
    sums.candidate += candidate;
    sums.champion += champion;
    sums.both += both;
    sums.false += wrong;
    sums.falseBefore += wrongBefore;
  }
  const [onlyChampionFound, onlyCandidateFound] = [sums.champion - sums.both, sums.candidate - sums.both];
  return {
    ...{ model, found: sums.champion, onlyChampionFound, onlyCandidateFound },
    pValue: pairedTest(onlyChampionFound, onlyCandidateFound, objects, rules.maxRegression),
    false: sums.falseBefore,
    falsePValue: moreFalse(sums.false, sums.falseBefore, rules.maxMoreFalse),
  };
}

/**
 * One-sided test of two Poisson counts over the same pictures, given their sum (Przyborowski and Wilenski, 1940): under "the
 * candidate has exactly `1 + margin` times as many", each of them is the candidate's with the chance (1 + margin) / (2 + margin).
 * The chance of at least `candidate`; small means that it has more than that.
 */
export const moreFalse = (candidate: number, champion: number, margin: number): number =>
  upperTail(candidate, candidate + champion, (1 + margin) / (2 + margin));

function objectsReason(champion: Champion, { operating }: Measured, { maxRegression, confidence }: Rules): string {
  const { model, found, onlyChampionFound, onlyCandidateFound, pValue } = champion;
  const { objects } = operating;
  const told = `champion (model ${model}) finds ${percent(found / objects)} of the same objects; only the champion finds ${onlyChampionFound}, only the candidate ${onlyCandidateFound}`;
  const beyond = `better beyond ${percent(maxRegression)}`;
  if (pValue < 1 - confidence) return `failed: ${told}; the champion is ${beyond} (${p(pValue)})`;
  const isTooFew = maxRegression < 1 && pairedTest(objects, 0, objects, maxRegression) >= 1 - confidence;
  if (isTooFew) return `noted: ${told}; ${objects} objects are too few to find the champion ${beyond}`;
  return `passed: ${told}; the champion is not ${beyond} (${p(pValue)})`;
}

function falseReason(champion: Champion, measured: Measured, { maxMoreFalse, confidence }: Rules): string {
  const { samples, operating } = measured;
  const told = `${each(operating.false, samples)} detections of nothing, the champion ${each(champion.false, samples)}`;
  const beyond = `more beyond ${percent(maxMoreFalse)}`;
  const isMore = champion.falsePValue < 1 - confidence;
  return rule(!isMore, `${told}; that is ${isMore ? '' : 'not surely '}${beyond} (${p(champion.falsePValue)})`);
}
