/** How a candidate, and the champion beside it, did on one test sample: few enough bytes that an evaluation keeps 100,000 of them. */
import * as z from 'zod';
import type { Boxes } from './annotation.ts';
import { type DetectorAnswer } from './detect.ts';
/** Counts of one class in one picture. */
declare const ofClass: z.ZodTuple<
  [z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt],
  null
>;
export type ClassCounts = z.infer<typeof ofClass>;
export declare const assessed: z.ZodObject<
  {
    classes: z.ZodArray<
      z.ZodTuple<
        [z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt, z.ZodInt],
        null
      >
    >;
    detections: z.ZodBase64;
    unanswered: z.ZodOptional<z.ZodLiteral<true>>;
  },
  z.core.$strip
>;
export type Assessed = z.infer<typeof assessed>;
/** Compares answers by the names of classes: the champion may know others. A model without an answer sees nothing. */
export declare function assess(annotation: Boxes, candidate: DetectorAnswer, champion: DetectorAnswer | null): Assessed;
export {};
