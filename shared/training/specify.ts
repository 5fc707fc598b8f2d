/** Specifying a run: trainer, seed, classes and image size, from what was asked for and how the project is set. */
import { entries } from '../dataset/entries.ts';
import { findVersion } from '../dataset/find-version.ts';
import { treeStore } from '../dataset/store.ts';
import type { VersionSummary } from '../dataset/document.ts';
import { TerminalError } from '../errors.ts';
import { chooseImageSpec, type InputBounds } from '../image/size.ts';
import type { Ports } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import { taskOf } from '../task/task.ts';
import type { RunSpec } from './run.ts';
import { classesOf, untrainable } from './untrainable.ts';

export interface TrainingInput {
  /** a repeated id is the same request */
  id?: string | undefined;
  /** id, number or `head` */
  version?: string | undefined;
  trainer?:
    | { name?: string | undefined; parameters?: Record<string, number | string | boolean> | undefined }
    | undefined;
  seed?: number | undefined;
  reason?: string | undefined;
  by: string;
  kind: 'manual' | 'policy';
}

/** Samples looked at to choose an image size. */
const imageSpecSamples = 200;

/** The trainer that is asked for; parameters of the project are those of the project's own trainer. */
export function trainerOf(
  { settings }: ProjectDocument,
  { trainer }: Pick<TrainingInput, 'trainer'>,
): Pick<RunSpec['trainer'], 'name' | 'parameters'> {
  const name = trainer?.name ?? settings.trainer.name;
  const usual = name === settings.trainer.name ? settings.trainer.parameters : {};
  return { name, parameters: { ...usual, ...trainer?.parameters } };
}

/** What a run on a version will do; a TerminalError where nobody can train on that version. */
export async function specify(
  ports: Pick<Ports, 'blobs' | 'documents'>,
  project: ProjectDocument,
  version: VersionSummary,
  input: TrainingInput,
): Promise<RunSpec> {
  const { settings } = project;
  const reason = untrainable(settings, version);
  if (reason !== undefined) throw new TerminalError(reason.code, reason.detail);
  const kind = taskOf(settings);
  const trainer = trainerOf(project, input);
  return {
    task: settings.task,
    version: { id: version.version, number: version.number },
    trainer: {
      ...trainer,
      timeoutSeconds: settings.trainer.timeoutSeconds,
      ...(settings.trainer.compute === undefined ? {} : { compute: settings.trainer.compute }),
    },
    seed: input.seed ?? 1,
    classes: classesOf(settings, version),
    image: {
      ...(settings.image ?? (await chooseImage(ports, project.id, kind.inputSize(trainer.name)))),
      ...(kind.fit === 'stretch' ? {} : { fit: kind.fit }),
    },
    requestedBy: input.by,
    reason: input.reason ?? (input.kind === 'policy' ? `version ${version.number} was committed` : 'requested'),
  };
}

/** The size that fits the first version's samples, so that later versions do not change it. */
async function chooseImage(
  ports: Pick<Ports, 'blobs' | 'documents'>,
  project: string,
  bounds: InputBounds,
): Promise<RunSpec['image']> {
  const first = await findVersion(ports, project, '1');
  const samples: { width: number; height: number; channels: number }[] = [];
  for await (const { record } of entries(treeStore(ports.blobs, project), first.root, { limit: imageSpecSamples })) {
    samples.push(record);
  }
  return chooseImageSpec(samples, bounds);
}
