/** What a project of classifiers may be set to. */
import * as z from 'zod';
import type { InputBounds } from '../../image/size.ts';
import { className, maxClasses } from '../../names.ts';

const share = z.number().min(0).max(1);

export const settings = {
  /** empty: taken from the labels seen at commit */
  classes: z
    .array(className)
    .max(maxClasses)
    .refine((c) => new Set(c).size === c.length, 'classes must differ')
    .refine((c) => c.length !== 1, 'a classifier needs two classes: name at least two, or none'),
  trainer: 'auto',
  gate: z.object({
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
  }),
};
export type Rules = z.infer<typeof settings.gate>;

/** These see more in larger pictures, and spend seconds on them. */
const onBackbone = new Set(['auto', 'embedding']);

/**
 * Sides of the input where a project names none: below 16 pixels nothing is left to see; above 64 the training of a network
 * on a processor takes minutes instead of seconds; two poolings of 2 need sizes divisible by 4.
 */
export const inputSize = (trainer: string): InputBounds => ({
  least: 16,
  most: onBackbone.has(trainer) ? 160 : 64,
  step: 4,
});
