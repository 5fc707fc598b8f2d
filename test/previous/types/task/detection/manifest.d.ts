/** What a job's manifest says of a detector's sample. */
import * as z from 'zod';
import { type Boxes } from './annotation.ts';
/** The sample's boxes of the classes that the job is to learn; without any it is a negative one. */
export declare const manifestLine: ({ boxes }: Boxes, classes: ReadonlySet<string>) => Boxes;
/** A line as a job reads it. */
export declare const detectorLine: z.ZodObject<
  {
    url: z.ZodURL;
    md5: z.ZodString;
    split: z.ZodEnum<{
      train: 'train';
      validation: 'validation';
    }>;
    boxes: z.ZodArray<
      z.ZodObject<
        {
          class: z.ZodString;
          x: z.ZodNumber;
          y: z.ZodNumber;
          width: z.ZodNumber;
          height: z.ZodNumber;
          crowd: z.ZodOptional<z.ZodLiteral<true>>;
        },
        z.core.$strip
      >
    >;
  },
  z.core.$loose
>;
