/** What the test samples of a version cannot say of a detector, though a reader might think so. */
import type { VersionSummary } from '../../dataset/document.ts';
import type { Measured } from './metrics.ts';
/** Sentences on classes without a test object or without one to learn from, on those that only the champion knows, and on pictures without an answer. */
export declare function caveats(
  { classes: measured, unanswered }: Pick<Measured, 'classes' | 'unanswered'>,
  classes: readonly string[],
  { byClass }: Pick<VersionSummary, 'byClass'>,
  championClasses: readonly string[],
): string[];
