/** What the gate says of a model, whatever its kind. */
import * as z from 'zod';
/** A kind adds the numbers that its rules looked at. */
export declare const verdictView: z.ZodObject<
  {
    decision: z.ZodEnum<{
      approved: 'approved';
      rejected: 'rejected';
    }>;
    reasons: z.ZodArray<z.ZodString>;
    samples: z.ZodNumber;
  },
  z.core.$strip
>;
export type Verdict = z.infer<typeof verdictView>;
