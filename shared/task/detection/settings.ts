/** What a project of detectors may be set to. */
import * as z from 'zod';
import { className, maxClasses } from '../../names.ts';

const share = z.number().min(0).max(1);

export const settings = {
  /** empty: taken from the boxes seen at commit */
  classes: z
    .array(className)
    .max(maxClasses)
    .refine((c) => new Set(c).size === c.length, 'classes must differ'),
  trainer: 'centernet',
  gate: z.object({
    /** average precision that `minimum` is about: at an IoU of 0.5, or the mean of 0.5 to 0.95 */
    metric: z.enum(['ap50', 'ap']).default('ap50'),
    /** least average precision on the test split */
    minimum: share.default(0.5),
    /** how many more of the objects the champion may find */
    maxRegression: share.default(0.01),
    /** how many more false detections than the champion a candidate may have, as a share of the champion's */
    maxMoreFalse: z.number().min(0).max(100).default(0.25),
    /** confidence of the one-sided tests against the champion */
    confidence: z.number().min(0.5).max(0.9999).default(0.95),
  }),
};
export type Rules = z.infer<typeof settings.gate>;

/** Sides of the input where a project names none: small objects have to stay visible; backbones halve five times. */
export const inputSize = { least: 128, most: 320, step: 32, channels: 3 } as const;
