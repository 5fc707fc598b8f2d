/** The annotation of a detector's sample: the boxes of what it shows. No boxes is an annotation too: a negative picture. */
import * as z from 'zod';
import { type Box } from './box.ts';
/** One object of a picture, in pixels of the stored, upright image. */
export interface AnnotatedBox extends Box {
  class: string;
  /** a group of objects that nobody told apart: finding it is neither right nor wrong */
  crowd?: true;
}
export type Boxes = {
  boxes: AnnotatedBox[];
};
/** boxes of one picture */
export declare const maxBoxes = 2000;
/** Brings boxes into their one order and refuses what is annotated twice. */
export declare const boxes: z.ZodType<Boxes>;
/** The same text for the same boxes, in whatever order they come. */
export declare const canonical: (annotation: Boxes) => string;
/** Boxes of each class. */
export declare function counts({ boxes: all }: Boxes): [string, number][];
/** In few words: `2 cat, 1 dog`, or `no boxes`. */
export declare function brief(annotation: Boxes): string;
/** As part of a sentence: `with the boxes 2 cat, 1 dog`. */
export declare const say: (annotation: Boxes) => string;
/**
 * The boxes on a picture of that size: what hangs over its edge by a pixel is cut off there, and further out no box is one
 * of this picture.
 */
export declare function onPicture(
  annotation: Boxes,
  {
    width,
    height,
  }: {
    width: number;
    height: number;
  },
):
  | {
      annotation: Boxes;
    }
  | {
      why: string;
    };
