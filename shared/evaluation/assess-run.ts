/** Assessing the model of a run: what it answers to samples that no trainer saw. */
import type { VersionSummary } from '../dataset/document.ts';
import { findVersion } from '../dataset/find-version.ts';
import type { Cause } from '../delivery/message.ts';
import type { ModelDocument } from '../model/document.ts';
import type { Ports } from '../ports.ts';
import { setAside } from '../sample/set-aside.ts';
import type { TaskKind } from '../task/task.ts';
import type { RunDocument } from '../training/document.ts';
import type { Artifact } from './collect-artifact.ts';
import { type AssessedSplit, assessTestSplit, evaluatedModel, type EvaluationPorts } from './shards.ts';

/** One delivery works this long, then hands on to the next: well below the function timeout. */
const timeBudgetMs = 4 * 60_000;

type AssessPorts = Ports & EvaluationPorts;

export type AssessedRun = AssessedSplit & { version: VersionSummary };

/**
 * Assesses the model of a run on the test split of the run's version, beside the champion; 'continue': there is more to do
 * than one delivery may. Samples that nobody can read are set aside. Throws a TerminalError where the version, or a model,
 * cannot be used. Safe to repeat: what is assessed is kept.
 */
export async function assessRun(
  ports: AssessPorts,
  kind: TaskKind,
  run: RunDocument,
  { bytes, digest, metadata }: Artifact,
  champion: ModelDocument | undefined,
  cause: Cause,
): Promise<AssessedRun | 'continue'> {
  const project = (await ports.documents.read('projects', 'projects', run.pk))?.document;
  const version = await findVersion(ports, run.pk, run.version.id);
  const until = ports.clock.now().getTime() + timeBudgetMs;
  const split = await assessTestSplit(ports, {
    project: run.pk,
    kind,
    root: version.root,
    candidate: { digest, classes: run.classes, image: run.image, metadata, load: () => Promise.resolve(bytes) },
    champion: champion === undefined ? null : evaluatedModel(ports.blobs, champion),
    outOfTime: () => ports.clock.now().getTime() > until,
    async setAside(md5, reason) {
      if (project !== undefined) await setAside(ports, project, { md5, reason, training: run.id }, cause);
    },
  });
  return split === 'continue' ? split : { ...split, version };
}
