/** What the gate says of a model, whatever its kind. */
import * as z from 'zod';

/** A kind adds the numbers that its rules looked at. */
export const verdictView = z.object({
  decision: z.enum(['approved', 'rejected']),
  /** sentences for people, which begin with their outcome: `passed: `, `failed: ` or `noted: `, which decides nothing */
  reasons: z.array(z.string()),
  /** test samples that the model was judged on */
  samples: z.number(),
});
export type Verdict = z.infer<typeof verdictView>;
