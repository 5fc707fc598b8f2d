/** What a classifier can be trained on. */
import type { VersionSummary } from '../../dataset/document.ts';
import type { ProjectSettings } from '../../project/settings.ts';
import type { Reason } from '../task.ts';
/** Why no classifier can be trained on a version: it tells two classes apart at least. */
export declare function untrainable(
  { classes }: Pick<ProjectSettings, 'classes'>,
  { number, byClass }: VersionSummary,
): Reason | undefined;
