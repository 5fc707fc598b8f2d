/** What a detector can be trained on. */
import type { VersionSummary } from '../../dataset/document.ts';
import type { ProjectSettings } from '../../project/settings.ts';
import type { Reason } from '../task.ts';

/** A job's manifest is made in memory, with about 80 bytes for each box beside those of its sample. */
export const maxBoxesOfVersion = 2_000_000;
/** What is kept of a test sample's detections has 2 KB; all are in memory when a model is judged. */
export const maxTestSamples = 100_000;

/** Why no detector can be trained on a version: it has a box of a class that the project knows at least. Negative pictures alone teach nothing. */
export function untrainable(
  { classes }: Pick<ProjectSettings, 'classes'>,
  { number, byClass, bySplit }: VersionSummary,
): Reason | undefined {
  const labels = new Map(Object.entries(byClass));
  const known = classes.length > 0 ? classes : [...labels.keys()];
  if (!known.some((name) => (labels.get(name) ?? 0) > 0)) {
    const detail = `Version ${number} has no box of any class that the project knows, and pictures without boxes alone teach nothing. Annotate samples with boxes (PUT .../samples/{sample}/annotation).`;
    return { code: 'no-boxes', detail };
  }
  const boxes = [...labels.values()].reduce((sum, count) => sum + count, 0);
  if (boxes > maxBoxesOfVersion) {
    const detail = `Version ${number} has ${boxes} boxes and a job is given at most ${maxBoxesOfVersion}. Divide the project.`;
    return { code: 'too-many-boxes', detail };
  }
  if (bySplit.test > maxTestSamples) {
    const detail = `Version ${number} has ${bySplit.test} test samples and a detector is judged on at most ${maxTestSamples}. Divide the project.`;
    return { code: 'too-many-test-samples', detail };
  }
  return undefined;
}
