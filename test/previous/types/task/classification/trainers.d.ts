/** The trainers of this repository and the parameters they take; `trainers/embedded` makes recipes of them. */
import * as z from 'zod';
export declare const builtInTrainers: {
  readonly 'resnet-small': z.ZodObject<
    {
      epochs: z.ZodDefault<z.ZodNumber>;
      batchSize: z.ZodDefault<z.ZodNumber>;
      learningRate: z.ZodDefault<z.ZodNumber>;
      weightDecay: z.ZodDefault<z.ZodNumber>;
      labelSmoothing: z.ZodDefault<z.ZodNumber>;
      patience: z.ZodDefault<z.ZodNumber>;
      shift: z.ZodDefault<z.ZodNumber>;
      scale: z.ZodDefault<z.ZodNumber>;
      rotation: z.ZodDefault<z.ZodNumber>;
      flip: z.ZodDefault<z.ZodBoolean>;
      width: z.ZodDefault<z.ZodNumber>;
    },
    z.core.$strict
  >;
  readonly softmax: z.ZodObject<
    {
      epochs: z.ZodDefault<z.ZodNumber>;
      batchSize: z.ZodDefault<z.ZodNumber>;
      learningRate: z.ZodDefault<z.ZodNumber>;
      weightDecay: z.ZodDefault<z.ZodNumber>;
      labelSmoothing: z.ZodDefault<z.ZodNumber>;
      patience: z.ZodDefault<z.ZodNumber>;
      shift: z.ZodDefault<z.ZodNumber>;
      scale: z.ZodDefault<z.ZodNumber>;
      rotation: z.ZodDefault<z.ZodNumber>;
      flip: z.ZodDefault<z.ZodBoolean>;
    },
    z.core.$strict
  >;
};
