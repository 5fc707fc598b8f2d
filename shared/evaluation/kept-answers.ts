/** What training kept for the smoke test of deployments: `smoke.json`. */
import type { Blobs } from '../ports.ts';
import type { KeptAnswer } from '../task/models.ts';
import type { TaskKind } from '../task/task.ts';
import { maxSmokeSamples, smokeFile } from '../training/job-contract.ts';

const maxSmokeBytes = 4 * 1024 * 1024;

/** Reads a job's answers in the form of its kind. A job may keep none; what it keeps has to be of use, or there is a problem. */
export async function readKeptAnswers(
  blobs: Blobs,
  name: string,
  kind: TaskKind,
  classes: readonly string[],
): Promise<KeptAnswer[] | { problem: string; detail: string }> {
  const wanted = `write at most ${maxSmokeSamples} entries with the md5 of a validation sample and ${kind.sayKeptAnswer(classes)}, or an empty list`;
  const bad = (what: string) => ({ problem: 'bad-smoke', detail: `smoke.json ${what}: ${wanted}.` });
  const found = await blobs.get('jobs', name, { maxBytes: maxSmokeBytes });
  if (found === undefined) return [];
  if (found === 'too-large') return bad(`has more than ${maxSmokeBytes / 1024 / 1024} MB`);
  const answer = kind.keptAnswer(classes);
  try {
    const kept = smokeFile.parse(JSON.parse(found.body.toString('utf8')));
    const answers = kept.map(({ md5, ...said }) => ({ md5, parsed: answer.safeParse(said) }));
    const refused = answers.find(({ parsed }) => !parsed.success)?.parsed.error;
    if (refused !== undefined) return bad(refused.issues[0]?.message ?? 'cannot be read');
    return answers.map(({ md5, parsed }) => ({ ...parsed.data, md5 }));
  } catch {
    return bad('cannot be read');
  }
}
