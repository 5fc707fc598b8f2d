/** What a job's manifest says of a classifier's sample. */
import type * as z from 'zod';
import { type Labelled } from './annotation.ts';
/** The sample's label; null where the job is not to learn that class. */
export declare const manifestLine: ({ label }: Labelled, classes: ReadonlySet<string>) => Labelled | null;
/** A line as a job reads it. */
export declare const classifierLine: z.ZodObject<
  {
    label: z.ZodString;
    url: z.ZodURL;
    md5: z.ZodString;
    split: z.ZodEnum<{
      train: 'train';
      validation: 'validation';
    }>;
  },
  z.core.$loose
>;
export type ClassifierLine = z.infer<typeof classifierLine>;
