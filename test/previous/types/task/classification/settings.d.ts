/** What a project of classifiers may be set to. */
import * as z from 'zod';
export declare const settings: {
  /** empty: taken from the labels seen at commit */
  classes: z.ZodArray<z.ZodString>;
  trainer: string;
  gate: z.ZodObject<
    {
      minimum: z.ZodDefault<z.ZodNumber>;
      minimumRecall: z.ZodDefault<z.ZodNumber>;
      maxRegression: z.ZodDefault<z.ZodNumber>;
      confidence: z.ZodDefault<z.ZodNumber>;
      baseline: z.ZodOptional<
        z.ZodEnum<{
          noted: 'noted';
          required: 'required';
        }>
      >;
    },
    z.core.$strip
  >;
};
export type Rules = z.infer<typeof settings.gate>;
