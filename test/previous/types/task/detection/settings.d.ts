/** What a project of detectors may be set to. */
import * as z from 'zod';
export declare const settings: {
  /** empty: taken from the boxes seen at commit */
  classes: z.ZodArray<z.ZodString>;
  trainer: string;
  gate: z.ZodObject<
    {
      metric: z.ZodDefault<
        z.ZodEnum<{
          ap: 'ap';
          ap50: 'ap50';
        }>
      >;
      minimum: z.ZodDefault<z.ZodNumber>;
      maxRegression: z.ZodDefault<z.ZodNumber>;
      maxMoreFalse: z.ZodDefault<z.ZodNumber>;
      confidence: z.ZodDefault<z.ZodNumber>;
    },
    z.core.$strip
  >;
};
export type Rules = z.infer<typeof settings.gate>;
/** Sides of the input where a project names none: small objects have to stay visible; backbones halve five times. */
export declare const inputSize: {
  readonly least: 128;
  readonly most: 320;
  readonly step: 32;
  readonly channels: 3;
};
