/** The trainers of this repository for detectors, and the parameters they take. */
import * as z from 'zod';
export declare const builtInTrainers: {
  /** a CenterNet head on the frozen maps of the pretrained backbone */
  readonly centernet: z.ZodObject<
    {
      epochs: z.ZodDefault<z.ZodNumber>;
      batchSize: z.ZodDefault<z.ZodNumber>;
      learningRate: z.ZodDefault<z.ZodNumber>;
      weightDecay: z.ZodDefault<z.ZodNumber>;
      patience: z.ZodDefault<z.ZodNumber>;
      width: z.ZodDefault<z.ZodNumber>;
      copies: z.ZodDefault<z.ZodNumber>;
      zoom: z.ZodDefault<z.ZodNumber>;
      shift: z.ZodDefault<z.ZodNumber>;
      flip: z.ZodDefault<z.ZodBoolean>;
    },
    z.core.$strict
  >;
};
