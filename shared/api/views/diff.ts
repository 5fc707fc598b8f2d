/** A page of what changed between two versions. */
import * as z from 'zod';
import { entryView } from './dataset.ts';

export const relabelView = entryView.extend({ before: z.string() });

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
