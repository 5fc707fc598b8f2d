/** The trainers of this repository for detectors, and the parameters they take. */
import * as z from 'zod';

export const builtInTrainers = {
  /** a CenterNet head on the frozen maps of the pretrained backbone */
  centernet: z.strictObject({
    epochs: z.number().int().min(1).max(1000).default(10),
    batchSize: z.number().int().min(1).max(64).default(16),
    learningRate: z.number().positive().max(1).default(0.003),
    weightDecay: z.number().min(0).max(1).default(0.01),
    patience: z.number().int().min(1).max(1000).default(5),
    /** channels of the head */
    width: z.number().int().min(8).max(256).default(48),
    /** zoomed and shifted copies of each picture that are learned from beside it, as far as memory holds them */
    copies: z.number().int().min(0).max(16).default(3),
    /** greatest change of size: 0.4 is 1 / 1.4 to 1.4 times */
    zoom: z.number().min(0).max(3).default(0.4),
    /** greatest shift, as a part of width and height */
    shift: z.number().min(0).max(0.5).default(0.2),
    /** whether half of the copies are mirrored left to right: never where left and right differ */
    flip: z.boolean().default(false),
  }),
} as const;
