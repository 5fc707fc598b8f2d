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
/**
 * Sides of the input where a project names none: below 16 pixels nothing is left to see; above 64 training on a processor
 * takes minutes instead of seconds; two poolings of 2 need sizes divisible by 4.
 */
export declare const inputSize: {
  readonly least: 16;
  readonly most: 64;
  readonly step: 4;
};
