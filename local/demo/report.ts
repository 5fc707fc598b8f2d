/** What a demo run ends with: one JSON document for machines, tables for people. */
import * as z from 'zod';
import { table } from './table.ts';

const count = z.number().int().nonnegative();

/** The document that `--json` prints. */
export const reportShape = z.object({
  uploads: z.object({
    accepted: count,
    duplicate: count,
    conflict: count,
    unlabelled: count,
    quarantined: count,
    superseded: count,
  }),
  /** oldest first */
  versions: z.array(
    z.object({
      number: count,
      id: z.string(),
      samples: count,
      bytesWritten: count,
      added: count,
      removed: count,
      relabelled: count,
    }),
  ),
  /** oldest first; `accuracy` on the test split of the model's dataset version */
  models: z.array(
    z.object({
      version: count,
      digest: z.string(),
      accuracy: z.number().nullable(),
      verdict: z.enum(['approved', 'rejected']),
      reasons: z.array(z.string()),
      datasetVersion: count,
      seed: z.number(),
    }),
  ),
  /** pictures that are in no version, scored by the champion */
  holdout: z.object({ count, accuracy: z.number() }),
  /** the model that was live before the rollback */
  champion: count,
  rolledBackTo: count,
  seconds: z.record(z.string(), z.number()),
  lineage: z.object({
    prediction: z.string(),
    model: count,
    training: z.string(),
    seed: z.number(),
    datasetVersion: count,
    sampleCount: count,
    /** some of them */
    samples: z.array(z.object({ id: z.string(), label: z.string(), upload: z.string(), blob: z.string() })),
  }),
  deadLetters: count,
});
export type Report = z.infer<typeof reportShape>;

/** What `--json` prints when there is no report; the error has a code and a message as those of the API have. */
export interface Failure {
  error: {
    code: 'wrong-arguments' | 'unusable-images' | 'step-failed' | 'interrupted';
    message: string;
    /** title of the chapter that was being told, once there is one */
    step?: string;
    /** the file with what the platform logged, when it is kept */
    log?: string;
  };
}

const share = (value: number): string => `${(value * 100).toFixed(2)} %`;

/** The closing tables, as lines. */
export function reportLines(report: Report): string[] {
  const { versions, models, seconds, uploads, champion, rolledBackTo, holdout } = report;
  const role = (version: number): string =>
    version === rolledBackTo ? 'live (rolled back to)' : version === champion ? 'was live' : '';
  return [
    ...table(
      ['version', 'samples', 'added', 'bytes written', 'id'],
      versions.map((v) => [v.number, v.samples, v.added, v.bytesWritten, v.id]),
    ),
    '',
    ...table(
      ['model', 'from version', 'seed', 'test accuracy', 'verdict', 'digest', 'serving'],
      models.map((m) => [
        m.version,
        m.datasetVersion,
        m.seed,
        m.accuracy === null ? '?' : share(m.accuracy),
        m.verdict,
        m.digest.slice(0, 12),
        role(m.version),
      ]),
    ),
    '',
    ...table(Object.keys(uploads), [Object.values(uploads)]),
    '',
    ...table(
      ['stage', 'seconds'],
      Object.entries(seconds).map(([stage, n]) => [stage, n.toFixed(1)]),
    ),
    '',
    `holdout: ${holdout.count} images that are in no version, ${share(holdout.accuracy)} right with model ${champion}`,
    `dead letters: ${report.deadLetters}`,
  ];
}
