/** What a classifier can be trained on. */
import type { VersionSummary } from '../../dataset/document.ts';
import type { ProjectSettings } from '../../project/settings.ts';
import type { Reason } from '../task.ts';

/** Why no classifier can be trained on a version: it tells two classes apart at least. */
export function untrainable(
  { classes }: Pick<ProjectSettings, 'classes'>,
  { number, byClass }: VersionSummary,
): Reason | undefined {
  const labels = new Map(Object.entries(byClass));
  const known = classes.length > 0 ? classes : [...labels.keys()];
  const present = known.filter((name) => (labels.get(name) ?? 0) > 0);
  if (present.length >= 2) return undefined;
  const seen = present.length === 0 ? 'no sample of any class' : `samples of one class ("${present[0]}")`;
  return {
    code: 'too-few-classes',
    detail: `Version ${number} has ${seen} that the project knows; a classifier needs two. Upload images under another label.`,
  };
}
