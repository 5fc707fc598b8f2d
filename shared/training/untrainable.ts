/** Why a dataset version cannot be trained on, or is not worth it yet. */
import type { VersionSummary } from '../dataset/document.ts';
import { maxTestSamples } from '../evaluation/shards.ts';
import { maxClasses } from '../names.ts';
import type { ProjectSettings } from '../project/settings.ts';
import { type Reason, taskOf } from '../task/task.ts';

/** A job's manifest is made in memory, with about 600 bytes for each sample, most of them its signature. */
export const maxTrainingSamples = 200_000;

/** Classes of a training on a version: those that the project names, else those of its labels. */
export const classesOf = (settings: Pick<ProjectSettings, 'classes'>, version: VersionSummary): string[] =>
  settings.classes.length > 0 ? settings.classes : Object.keys(version.byClass).sort();

/** Why nobody can train on a version; undefined: they can. */
export function untrainable(
  settings: Pick<ProjectSettings, 'classes' | 'task'>,
  version: VersionSummary,
): Reason | undefined {
  const ofItsKind = taskOf(settings).untrainable(settings, version);
  if (ofItsKind !== undefined) return ofItsKind;
  const { number, bySplit } = version;
  const classes = classesOf(settings, version);
  if (classes.length > maxClasses) {
    return {
      code: 'too-many-classes',
      detail: `Version ${number} has ${classes.length} classes and a model may have ${maxClasses}. Name those to train in the project's setting "classes".`,
    };
  }
  const samples = bySplit.train + bySplit.validation;
  if (samples > maxTrainingSamples) {
    return {
      code: 'too-many-samples',
      detail: `Version ${number} has ${samples} samples to train and validate with and a job is given at most ${maxTrainingSamples}. Divide the project: naming fewer classes does not help, since the limit counts every sample of the version.`,
    };
  }
  if (bySplit.test > maxTestSamples) {
    return {
      code: 'too-many-test-samples',
      detail: `Version ${number} has ${bySplit.test} test samples and a model is judged on at most ${maxTestSamples}. Divide the project.`,
    };
  }
  return undefined;
}

/** Why no training is worth its cost by itself: a model is fitted, chosen and judged on a split each. */
export function emptySplit({ number, samples, bySplit }: VersionSummary): Reason | undefined {
  const empty = (['train', 'validation', 'test'] as const).filter((split) => bySplit[split] === 0);
  if (empty.length === 0) return undefined;
  const detail = `None of the ${samples} samples of version ${number} is in the split ${empty.join(', nor in ')}: a model is fitted, chosen and judged on one each. Upload more; the split of a sample follows from its content.`;
  return { code: 'empty-split', detail };
}
