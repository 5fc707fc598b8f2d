/** A project: one image task, its settings and their defaults. */
import * as z from 'zod';
import { type TaskKind } from '../task/task.ts';
/** How a job image calls one of its trainers. */
export declare const trainerName: z.ZodString;
declare const approval: z.ZodDefault<
  z.ZodEnum<{
    automatic: 'automatic';
    manual: 'manual';
  }>
>;
/** Settings of a project of a kind; everything optional, unknown fields refused. */
export declare const settingsOf: ({ name, settings }: Pick<TaskKind, 'name' | 'settings'>) => z.ZodObject<
  {
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
    task: z.ZodDefault<z.ZodLiteral<string>>;
    classes: z.ZodDefault<z.ZodType<string[], string[], z.core.$ZodTypeInternals<string[], string[]>>>;
    image: z.ZodDefault<
      z.ZodNullable<
        z.ZodObject<
          {
            width: z.ZodNumber;
            height: z.ZodNumber;
            channels: z.ZodUnion<readonly [z.ZodLiteral<1>, z.ZodLiteral<3>]>;
            range: z.ZodOptional<
              z.ZodEnum<{
                found: 'found';
                given: 'given';
              }>
            >;
            shrinkOnLoad: z.ZodOptional<z.ZodBoolean>;
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
    gate: Gate;
  },
  z.core.$strict
>;
type Gate = z.ZodPrefault<
  z.ZodObject<
    {
      approval: typeof approval;
    },
    z.core.$loose
  >
>;
type OfKind = ReturnType<typeof settingsOf>;
export type ProjectSettings = z.infer<OfKind>;
export type ProjectSettingsInput = z.input<OfKind>;
/** Settings of any project: those of the kind that they name. */
export declare const projectSettings: z.ZodType<ProjectSettings, ProjectSettingsInput>;
export {};
