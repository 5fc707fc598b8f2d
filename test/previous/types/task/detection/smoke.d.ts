/** What training keeps of a detector's answers, and whether a served one answers the same. */
import * as z from 'zod';
import type { KeptAnswer } from '../models.ts';
import { type DetectorAnswer } from './detect.ts';
/** Class by its index, score, x, y, width, height: with names 64 samples would not fit into a model's document. */
type KeptBox = readonly [number, number, number, number, number, number];
export interface KeptBoxes extends KeptAnswer {
  boxes: KeptBox[];
}
/** Boxes with their classes' names, kept with their indexes. Messages follow `smoke.json `. */
export declare function keptAnswer(classes: readonly string[]): z.ZodObject<
  {
    boxes: z.ZodArray<
      z.ZodPipe<
        z.ZodObject<
          {
            class: z.ZodEnum<{
              [x: string]: string;
            }>;
            score: z.ZodNumber;
            x: z.ZodNumber;
            y: z.ZodNumber;
            width: z.ZodNumber;
            height: z.ZodNumber;
          },
          z.core.$strip
        >,
        z.ZodTransform<
          KeptBox,
          {
            class: string;
            score: number;
            x: number;
            y: number;
            width: number;
            height: number;
          }
        >
      >
    >;
  },
  z.core.$strip
>;
/** The same in words. */
export declare const sayKeptAnswer: () => string;
/** The first box that one of the two is sure of and the other lacks, as the end of a sentence. */
export declare function departs({ boxes }: KeptBoxes, served: DetectorAnswer): string | undefined;
export {};
