/** What a detector can be trained on. */
import type { VersionSummary } from '../../dataset/document.ts';
import type { ProjectSettings } from '../../project/settings.ts';
import type { Reason } from '../task.ts';
/** A job's manifest is made in memory, with about 80 bytes for each box beside those of its sample. */
export declare const maxBoxesOfVersion = 2000000;
/** What is kept of a test sample's detections has 2 KB; all are in memory when a model is judged. */
export declare const maxTestSamples = 100000;
/** Why no detector can be trained on a version: it has a box of a class that the project knows at least. Negative pictures alone teach nothing. */
export declare function untrainable(
  { classes }: Pick<ProjectSettings, 'classes'>,
  { number, byClass, bySplit }: VersionSummary,
): Reason | undefined;
