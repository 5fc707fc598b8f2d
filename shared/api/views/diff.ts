/** A page of what changed between two versions. */
import * as z from 'zod';
import { annotationChanges } from '../../task/fields.ts';
import { entryView } from './dataset.ts';

/** A sample with another annotation than before: `before` is the first one in few words. */
export const relabelView = entryView.extend({ before: z.string(), ...annotationChanges });

export const diffView = z.object({
  from: z.number(),
  to: z.number(),
  /** of the whole difference, on every page */
  counts: z.object({ added: z.number(), removed: z.number(), relabelled: z.number() }),
  added: z.array(entryView),
  removed: z.array(entryView),
  relabelled: z.array(relabelView),
  nextLink: z.string().optional(),
});
