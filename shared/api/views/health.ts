/** What a backend needs, and whether it answers. */
import * as z from 'zod';

const dependency = z.object({ ok: z.boolean(), detail: z.string().nullable() });

export const readyView = z.object({
  status: z.enum(['ready', 'not-ready']),
  dependencies: z.object({ documents: dependency, blobs: dependency, messages: dependency, compute: dependency }),
});
