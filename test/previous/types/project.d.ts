/** A project: one image task, its settings and their defaults. */
import * as z from 'zod';
/** How a job image calls one of its trainers. */
export declare const trainerName: z.ZodString;
/** Settings of a project; everything optional, unknown fields refused. */
export declare const projectSettings: z.ZodObject<
  {
    classes: z.ZodDefault<z.ZodArray<z.ZodString>>;
    image: z.ZodDefault<
      z.ZodNullable<
        z.ZodObject<
          {
            width: z.ZodNumber;
            height: z.ZodNumber;
            channels: z.ZodUnion<readonly [z.ZodLiteral<1>, z.ZodLiteral<3>]>;
          },
          z.core.$strict
        >
      >
    >;
    trainer: z.ZodPrefault<
      z.ZodObject<
        {
          name: z.ZodDefault<z.ZodString>;
          parameters: z.ZodDefault<
            z.ZodRecord<z.ZodString, z.ZodUnion<readonly [z.ZodNumber, z.ZodString, z.ZodBoolean]>>
          >;
          timeoutSeconds: z.ZodDefault<z.ZodNumber>;
        },
        z.core.$strict
      >
    >;
    gate: z.ZodPrefault<
      z.ZodObject<
        {
          minimum: z.ZodDefault<z.ZodNumber>;
          minimumRecall: z.ZodDefault<z.ZodNumber>;
          maxRegression: z.ZodDefault<z.ZodNumber>;
          confidence: z.ZodDefault<z.ZodNumber>;
          approval: z.ZodDefault<
            z.ZodEnum<{
              automatic: 'automatic';
              manual: 'manual';
            }>
          >;
        },
        z.core.$strict
      >
    >;
    retrain: z.ZodPrefault<
      z.ZodObject<
        {
          onVersion: z.ZodDefault<z.ZodBoolean>;
          minNewSamples: z.ZodDefault<z.ZodNumber>;
          cooldownSeconds: z.ZodDefault<z.ZodNumber>;
          maxPerDay: z.ZodDefault<z.ZodNumber>;
          computeSecondsPerDay: z.ZodDefault<z.ZodNumber>;
        },
        z.core.$strict
      >
    >;
    deploy: z.ZodPrefault<
      z.ZodObject<
        {
          mode: z.ZodDefault<
            z.ZodEnum<{
              automatic: 'automatic';
              manual: 'manual';
            }>
          >;
          canary: z.ZodDefault<
            z.ZodNullable<
              z.ZodObject<
                {
                  percent: z.ZodNumber;
                  minRequests: z.ZodNumber;
                  maxErrorRate: z.ZodNumber;
                  durationSeconds: z.ZodNumber;
                },
                z.core.$strict
              >
            >
          >;
        },
        z.core.$strict
      >
    >;
    commit: z.ZodPrefault<
      z.ZodObject<
        {
          maxWaitSeconds: z.ZodDefault<z.ZodNumber>;
          quietSeconds: z.ZodDefault<z.ZodNumber>;
          maxItems: z.ZodDefault<z.ZodNumber>;
        },
        z.core.$strict
      >
    >;
    split: z.ZodPrefault<
      z.ZodObject<
        {
          validationPercent: z.ZodDefault<z.ZodNumber>;
          testPercent: z.ZodDefault<z.ZodNumber>;
        },
        z.core.$strict
      >
    >;
  },
  z.core.$strict
>;
export type ProjectSettings = z.infer<typeof projectSettings>;
export type ProjectSettingsInput = z.input<typeof projectSettings>;
