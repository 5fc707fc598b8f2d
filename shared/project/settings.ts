/** A project: one image task, its settings and their defaults. */
import * as z from 'zod';
import { className, maxClasses } from '../names.ts';
import { kinds } from '../task/task.ts';

const seconds = (maximum: number) => z.number().int().min(0).max(maximum);
const share = z.number().min(0).max(1);

/** How a job image calls one of its trainers. */
export const trainerName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/);

/** Settings of a project; everything optional, unknown fields refused. */
export const projectSettings = z.strictObject({
  /** what its models answer; chosen when the project is made */
  task: z
    .string()
    .refine((name) => kinds.has(name), 'there is no such task kind')
    .default('classification'),
  /** empty: taken from the labels seen at commit */
  classes: z
    .array(className)
    .max(maxClasses)
    .refine((c) => new Set(c).size === c.length, 'classes must differ')
    .refine((c) => c.length !== 1, 'a classifier needs two classes: name at least two, or none')
    .default([]),
  /** null: chosen from the first version's samples, at most 64x64 */
  image: z
    .strictObject({
      width: z.number().int().min(8).max(512),
      height: z.number().int().min(8).max(512),
      channels: z.union([z.literal(1), z.literal(3)]),
      /** values that are seen as 0 and 255: of what the bits of a picture can hold, or of what is found in it; left out: given */
      range: z.enum(['given', 'found']).optional(),
      /** large JPEGs are made smaller while they are decoded; left out: false */
      shrinkOnLoad: z.boolean().optional(),
    })
    .nullable()
    .default(null),
  trainer: z
    .strictObject({
      name: trainerName.default('resnet-small'),
      parameters: z.record(z.string().max(60), z.union([z.number(), z.string().max(200), z.boolean()])).default({}),
      /** wall-clock limit of one job */
      timeoutSeconds: z.number().int().min(10).max(86_400).default(3600),
    })
    .prefault({}),
  gate: z
    .strictObject({
      /** least accuracy on the test split */
      minimum: share.default(0.8),
      /** least recall of every class that has at least 20 test samples */
      minimumRecall: share.default(0.5),
      /** how much worse than the champion a candidate may be */
      maxRegression: share.default(0.01),
      /** confidence of the one-sided test against the champion */
      confidence: z.number().min(0.5).max(0.9999).default(0.95),
      /**
       * whether a model has to be worth more than always answering the most frequent class; missing (projects of earlier
       * releases have none): required
       */
      baseline: z.enum(['required', 'noted']).optional().meta({ default: 'required' }),
      approval: z.enum(['automatic', 'manual']).default('automatic'),
    })
    .prefault({}),
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
});
export type ProjectSettings = z.infer<typeof projectSettings>;
export type ProjectSettingsInput = z.input<typeof projectSettings>;
