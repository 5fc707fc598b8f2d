/** What the story of a detector ends with: one JSON document for machines, tables for people. */
import * as z from 'zod';
import { reportShape } from '../report.ts';
import { table } from '../table.ts';

const count = z.number().int().nonnegative();
const { uploads, versions, champion, rolledBackTo, seconds, lineage, deadLetters } = reportShape.shape;

/** The document that `--json` prints. */
export const detectionReport = z.object({
  ...{ uploads, versions, champion, rolledBackTo, seconds, lineage, deadLetters },
  /** oldest first; average precision on the test split of the model's dataset version */
  models: z.array(
    z.object({
      ...{ version: count, digest: z.string(), datasetVersion: count, seed: z.number() },
      ...{ ap50: z.number(), ap: z.number(), verdict: z.enum(['approved', 'rejected']), reasons: z.array(z.string()) },
    }),
  ),
  /** scenes that are in no version, as the champion answered them */
  holdout: z.object({ scenes: count, objects: count, found: count, wrong: count }),
  /** files with what was drawn */
  pictures: z.array(z.string()),
});
export type DetectionReport = z.infer<typeof detectionReport>;

/** The closing tables, as lines. */
export function detectionLines(report: DetectionReport): string[] {
  const { holdout, pictures } = report;
  return [
    ...table(
      ['version', 'samples', 'added', 'bytes written', 'id'],
      report.versions.map((v) => [v.number, v.samples, v.added, v.bytesWritten, v.id]),
    ),
    '',
    ...table(
      ['model', 'from version', 'seed', 'test AP50', 'test AP', 'verdict', 'digest', 'serving'],
      report.models.map((m) => [
        ...[m.version, m.datasetVersion, m.seed, m.ap50.toFixed(3), m.ap.toFixed(3), m.verdict, m.digest.slice(0, 12)],
        m.version === report.rolledBackTo ? 'live (rolled back to)' : m.version === report.champion ? 'was live' : '',
      ]),
    ),
    '',
    ...table(
      ['stage', 'seconds'],
      Object.entries(report.seconds).map(([stage, n]) => [stage, n.toFixed(1)]),
    ),
    '',
    `held out: ${holdout.found} of ${holdout.objects} objects in ${holdout.scenes} scenes that are in no version are found by model ${report.champion}, ${holdout.wrong} boxes are around none`,
    `dead letters: ${report.deadLetters}`,
    ...pictures.map((file) => `to look at: ${file}`),
  ];
}
