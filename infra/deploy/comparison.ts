/**
 * Telemetry before and after a deployment. For each stage two questions, both about a share of its records: how many
 * failed, and how many were slower than what 95 % took before. Scores are a stage, so scoring errors are its failures.
 */
import { tailOfDraw } from './hypergeometric.ts';

/** Records of one stage that ended alike in about the same time. */
export interface Count {
  stage: string;
  after: boolean;
  failed: boolean;
  /** quarter octaves of milliseconds: floor(4 * log2(ms)) */
  bin: number;
  records: number;
}

export interface Share {
  stage: string;
  measure: 'failures' | 'slow';
  before: { of: number; count: number };
  after: { of: number; count: number };
  /** chance of at least as many after the deployment if nothing changed (one-sided Fisher's exact test) */
  chance: number;
  verdict: 'worse' | 'as before' | 'too few samples';
}

/** Below so many records before or after, nothing is said of a stage. */
export const minimumSamples = 30;
/** A deployment asks about twenty questions: one false alarm in fifty deployments. */
export const significance = 0.001;
const slowShare = 0.05;

const sum = (counts: Count[]): number => counts.reduce((total, { records }) => total + records, 0);

function judge(stage: string, measure: Share['measure'], before: Share['before'], after: Share['after']): Share {
  const few = before.of < minimumSamples || after.of < minimumSamples;
  const chance = few ? 1 : tailOfDraw(after.count, after.of, before.count + after.count, before.of + after.of);
  return {
    stage,
    measure,
    before,
    after,
    chance,
    verdict: few ? 'too few samples' : chance < significance ? 'worse' : 'as before',
  };
}

/** The bin above which at most 5 % of the records are. */
function slowAbove(counts: Count[]): number {
  const allowed = sum(counts) * slowShare;
  let above = 0;
  for (const { bin, records } of [...counts].sort((a, b) => b.bin - a.bin)) {
    if (above + records > allowed) return bin;
    above += records;
  }
  return -1;
}

/** Judges every stage that has records. Counts may come in any order and in any number of parts. */
export function compareTelemetry(counts: Count[]): Share[] {
  const shares: Share[] = [];
  for (const stage of [...new Set(counts.map((one) => one.stage))].sort()) {
    const [before, after] = [false, true].map((late) =>
      counts.filter((one) => one.stage === stage && one.after === late),
    );
    const share = (of: Count[] = [], is: (one: Count) => boolean) => ({ of: sum(of), count: sum(of.filter(is)) });
    const isFailed = ({ failed }: Count): boolean => failed;
    shares.push(judge(stage, 'failures', share(before, isFailed), share(after, isFailed)));
    // what fails at once would make the rest look slow, and what times out is a failure already
    const [sound, soundAfter] = [before, after].map((of = []) => of.filter((one) => !one.failed));
    const limit = slowAbove(sound ?? []);
    const isSlow = ({ bin }: Count): boolean => bin > limit;
    shares.push(judge(stage, 'slow', share(sound, isSlow), share(soundAfter, isSlow)));
  }
  return shares;
}

const percent = ({ of, count }: Share['before']): string =>
  of === 0 ? 'none' : `${((count / of) * 100).toFixed(1)} % of ${of}`;
const measures = { failures: 'failed', slow: 'slower than 95 % were before' };

/** What came of it: `worse` when any measure is, `too few samples` when none could be judged. */
export function overall(shares: Share[]): Share['verdict'] {
  if (shares.some(({ verdict }) => verdict === 'worse')) return 'worse';
  return shares.some(({ verdict }) => verdict === 'as before') ? 'as before' : 'too few samples';
}

/** The verdict and its reasons, for the summary of a run. */
export function comparisonAsMarkdown(environment: string, deployedAt: string, hours: number, shares: Share[]): string {
  const said = {
    worse: `**Worse than before.** Go back with \`npm run deploy:package -- --environment ${environment} --release previous\``,
    'as before': '**As before.**',
    'too few samples': `**Too few samples to say**: a stage needs ${minimumSamples} records before and after.`,
  }[overall(shares)];
  const rows = shares.map(
    ({ stage, measure, before, after, chance, verdict }) =>
      `| ${stage} | ${measures[measure]} | ${percent(before)} | ${percent(after)} | ${verdict === 'too few samples' ? '' : chance.toPrecision(2)} | ${verdict} |`,
  );
  return [
    `### Telemetry of ${environment} before and after ${deployedAt}`,
    '',
    said,
    '',
    ...(rows.length === 0
      ? [`No stage was recorded in the ${hours} hours before or since.`]
      : [
          '| stage | measure | before | after | chance if nothing changed | verdict |',
          '| --- | --- | --- | --- | --- | --- |',
          ...rows,
        ]),
    '',
    `Before: ${hours} hours. A measure is worse when its chance is below ${significance}, with at least ${minimumSamples} records on either side.`,
  ].join('\n');
}
