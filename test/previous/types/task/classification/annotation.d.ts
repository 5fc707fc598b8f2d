/** The annotation of a classifier's sample: its one label. */
import * as z from 'zod';
export declare const labelled: z.ZodObject<
  {
    label: z.ZodString;
  },
  z.core.$strict
>;
export type Labelled = z.infer<typeof labelled>;
/** The same text for equal labels. */
export declare const canonical: ({ label }: Labelled) => string;
/** One sample of its class. */
export declare const counts: ({ label }: Labelled) => [string, number][];
/** In few words: the label. */
export declare const brief: ({ label }: Labelled) => string;
/** As part of a sentence: `labelled "cat"`. */
export declare const say: ({ label }: Labelled) => string;
/** The samples that have a label. */
export declare const filter: (label: string) => {
  'annotation.label': string;
};
/** The label as a folder's name: escaped so that any label is one, and no two are the same. */
export declare const folder: ({ label }: Labelled) => string;
/** What answers say of a label. */
export declare const fields: z.ZodObject<
  {
    label: z.ZodString;
  },
  z.core.$strip
>;
/** The fields of an answer about a sample; null: it waits for a label. */
export declare const fieldsOf: (annotation: Labelled | null) => {
  label: string | null;
};
