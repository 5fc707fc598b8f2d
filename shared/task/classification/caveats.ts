/** What the test samples of a version cannot say of a model, though a reader might think so. */
import type { VersionSummary } from '../../dataset/document.ts';
import { type Measured, supportOf } from './metrics.ts';
import { listed } from '../../evaluation/sentence.ts';

const quoted = (names: readonly string[]): string => listed(names.map((name) => `"${name}"`));

/**
 * Sentences on samples that were left out because the model does not know their class, on classes that it had nothing to
 * learn from, and on classes that only the champion knows.
 */
export function caveats(
  { samples, ...counted }: Pick<Measured, 'samples' | 'confusion' | 'unanswered'>,
  classes: readonly string[],
  { byClass, bySplit }: Pick<VersionSummary, 'byClass' | 'bySplit'>,
  championClasses: readonly string[],
): string[] {
  const known = new Set(classes);
  const inVersion = new Map(Object.entries(byClass));
  const foreign = [...inVersion.keys()].filter((name) => !known.has(name));
  const leftOut = bySplit.test - samples;
  const support = supportOf(counted);
  // what is not for the test is for training or validation
  const unlearned = classes.filter((name, i) => (inVersion.get(name) ?? 0) <= (support[i] ?? 0));
  const lost = championClasses.filter((name) => !known.has(name));
  return [
    ...(leftOut > 0
      ? [`${leftOut} test samples of classes that the model does not know were left out: ${quoted(foreign)}`]
      : []),
    ...(unlearned.length > 0 ? [`no sample to learn from: ${quoted(unlearned)}`] : []),
    ...(lost.length > 0 ? [`the champion also knows ${quoted(lost)}, which this model cannot answer`] : []),
  ].map((text) => `noted: ${text}`);
}
