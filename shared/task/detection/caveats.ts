/** What the test samples of a version cannot say of a detector, though a reader might think so. */
import type { VersionSummary } from '../../dataset/document.ts';
import { listed } from '../../evaluation/sentence.ts';
import type { Measured } from './metrics.ts';

const quoted = (names: readonly string[]): string => listed(names.map((name) => `"${name}"`));

/** Sentences on classes without a test object or without one to learn from, on those that only the champion knows, and on pictures without an answer. */
export function caveats(
  { classes: measured, unanswered = 0 }: Pick<Measured, 'classes' | 'unanswered'>,
  classes: readonly string[],
  { byClass }: Pick<VersionSummary, 'byClass'>,
  championClasses: readonly string[],
): string[] {
  const known = new Set(classes);
  const inVersion = new Map(Object.entries(byClass));
  const objects = measured.map((one) => one.objects);
  const untested = classes.filter((_, i) => (objects[i] ?? 0) === 0);
  // what is not for the test is for training or validation
  const unlearned = classes.filter((name, i) => (inVersion.get(name) ?? 0) <= (objects[i] ?? 0));
  const foreign = [...inVersion.keys()].filter((name) => !known.has(name));
  const lost = championClasses.filter((name) => !known.has(name));
  return [
    ...(untested.length > 0 ? [`no test object, so not judged: ${quoted(untested)}`] : []),
    ...(unlearned.length > 0 ? [`no object to learn from: ${quoted(unlearned)}`] : []),
    ...(foreign.length > 0 ? [`boxes of classes that the model does not know were left out: ${quoted(foreign)}`] : []),
    ...(lost.length > 0 ? [`the champion also knows ${quoted(lost)}, which this model cannot answer`] : []),
    ...(unanswered > 0
      ? [`${unanswered} test samples got no answer (not-a-number): none of their objects counts as found`]
      : []),
  ].map((text) => `noted: ${text}`);
}
