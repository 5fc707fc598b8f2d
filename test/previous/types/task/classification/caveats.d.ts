/** What the test samples of a version cannot say of a model, though a reader might think so. */
import type { VersionSummary } from '../../dataset/document.ts';
import { type Measured } from './metrics.ts';
/**
 * Sentences on samples that were left out because the model does not know their class, on classes that it had nothing to
 * learn from, and on classes that only the champion knows.
 */
export declare function caveats(
  { samples, ...counted }: Pick<Measured, 'samples' | 'confusion' | 'unanswered'>,
  classes: readonly string[],
  { byClass, bySplit }: Pick<VersionSummary, 'byClass' | 'bySplit'>,
  championClasses: readonly string[],
): string[];
