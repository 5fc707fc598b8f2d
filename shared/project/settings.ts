/** A project: one image task, its settings and their defaults. */
import * as z from 'zod';
import { defaultTask, kinds, type TaskKind } from '../task/task.ts';

const seconds = (maximum: number) => z.number().int().min(0).max(maximum);
const share = z.number().min(0).max(1);

/** How a job image calls one of its trainers. */
export const trainerName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/);

/** Where trainings may run. */
export const computeNames = ['container-apps', 'azure-ml'] as const;
export type ComputeName = (typeof computeNames)[number];
/** what every environment has, and projects use that choose nothing */
export const usualCompute: ComputeName = 'container-apps';

/** pixels: what most detectors are trained at; one picture of it takes less of a run than five of 320 */
const largestSide = 640;

/** What models take in. */
export const imageInput = z.strictObject({
  width: z.number().int().min(8).max(largestSide),
  height: z.number().int().min(8).max(largestSide),
  channels: z.union([z.literal(1), z.literal(3)]),
  /** values that are seen as 0 and 255: of what the bits of a picture can hold, or of what is found in it; left out: given */
  range: z.enum(['given', 'found']).optional(),
  /** large JPEGs are made smaller while they are decoded; left out: false */
  shrinkOnLoad: z.boolean().optional(),
});

/** null: chosen from the first version's samples, within what the kind says for the trainer (`inputSize`) */
const image = imageInput.nullable().default(null);

/** What every kind of project may be set to, in the same way. */
const members = {
  retrain: z
    .strictObject({
      onVersion: z.boolean().default(true),
      minNewSamples: z.number().int().min(1).max(1_000_000).default(50),
      cooldownSeconds: seconds(7 * 86_400).default(0),
      maxPerDay: z.number().int().min(0).max(10_000).default(24),
      /** no training begins on a UTC day once those that ended on it kept compute busy for this long */
      computeSecondsPerDay: z.number().int().min(0).max(100_000_000).default(86_400),
    })
    .prefault({}),
  deploy: z
    .strictObject({
      mode: z.enum(['automatic', 'manual']).default('automatic'),
      canary: z
        .strictObject({
          percent: z.number().int().min(1).max(99),
          minRequests: z.number().int().min(1).max(1_000_000),
          maxErrorRate: share,
          durationSeconds: z
            .number()
            .int()
            .min(1)
            .max(7 * 86_400),
        })
        .nullable()
        .default(null),
    })
    .prefault({}),
  commit: z
    .strictObject({
      /** a window closes after this long at the latest */
      maxWaitSeconds: z.number().int().min(1).max(86_400).default(60),
      /** ... or when nothing was staged for this long */
      quietSeconds: z.number().int().min(1).max(3600).default(3),
      maxItems: z.number().int().min(1).max(100_000).default(10_000),
    })
    .prefault({}),
  split: z
    .strictObject({
      validationPercent: z.number().int().min(1).max(45).default(15),
      testPercent: z.number().int().min(1).max(45).default(15),
    })
    .prefault({}),
};

const approval = z.enum(['automatic', 'manual']).default('automatic');

/** Settings of a project of a kind; everything optional, unknown fields refused. */
export const settingsOf = ({ name, settings }: Pick<TaskKind, 'name' | 'settings'>) =>
  z.strictObject({
    /** what its models answer; chosen when the project is made */
    task: (name === defaultTask ? z.literal(name).default(name) : z.literal(name)) as z.ZodDefault<
      z.ZodLiteral<string>
    >,
    classes: settings.classes.default([]),
    image,
    trainer: z
      .strictObject({
        name: trainerName.default(settings.trainer),
        parameters: z.record(z.string().max(60), z.union([z.number(), z.string().max(200), z.boolean()])).default({}),
        /** wall-clock limit of one job */
        timeoutSeconds: z.number().int().min(10).max(86_400).default(3600),
        /** where the job runs; not written where it is left out, since projects that exist lack it */
        compute: z.enum(computeNames).optional().meta({ default: usualCompute }),
      })
      .prefault({}),
    // beside `approval` it has the rules of the kind, which reads them itself
    gate: z.strictObject({ ...settings.gate.shape, approval }).prefault({}) as unknown as Gate,
    ...members,
  });

type Gate = z.ZodPrefault<z.ZodObject<{ approval: typeof approval }, z.core.$loose>>;
type OfKind = ReturnType<typeof settingsOf>;
export type ProjectSettings = z.infer<OfKind>;
export type ProjectSettingsInput = z.input<OfKind>;

/** Settings of any project: those of the kind that they name. */
export const projectSettings: z.ZodType<ProjectSettings, ProjectSettingsInput> = settingsOfAny([...kinds.values()]);

function settingsOfAny(all: readonly TaskKind[]): z.ZodType<ProjectSettings, ProjectSettingsInput> {
  const [first, ...others] = all.map(settingsOf);
  if (first === undefined) throw new Error('there is no task kind');
  const error = `there are the task kinds ${all.map(({ name }) => name).join(' and ')}`;
  return others.length === 0 ? first : z.discriminatedUnion('task', [first, ...others], { error });
}
