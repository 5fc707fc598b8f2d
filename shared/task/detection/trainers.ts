/** The trainers of this repository for detectors, and the parameters they take. */
import * as z from 'zod';

export const builtInTrainers = {
  centernet: z.strictObject({
    epochs: z.number().int().min(1).max(1000).default(40),
    batchSize: z.number().int().min(1).max(128).default(8),
    learningRate: z.number().positive().max(1).default(0.002),
    weightDecay: z.number().min(0).max(1).default(0.0001),
    /** zoomed and shifted copies of each picture that are learned from beside it */
    copies: z.number().int().min(0).max(16).default(3),
    flip: z.boolean().default(true),
  }),
} as const;
