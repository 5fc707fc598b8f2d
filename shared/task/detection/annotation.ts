/** The annotation of a detector's sample: the boxes of what it shows. No boxes is an annotation too: a negative picture. */
import * as z from 'zod';
import { className } from '../../names.ts';
import { type Box, rounded } from './box.ts';

/** One object of a picture, in pixels of the stored, upright image. */
export interface AnnotatedBox extends Box {
  class: string;
  /** a group of objects that nobody told apart: finding it is neither right nor wrong */
  crowd?: true;
}

export type Boxes = { boxes: AnnotatedBox[] };

/** boxes of one picture */
export const maxBoxes = 2000;
/** of pixels: more is nothing that anybody sees */
const decimals = 2;
/** no picture that is taken has a longer side */
const maxPixels = 100_000;
/** how far a box may lie beside its picture and be brought back: tools count pixels from 0 or from 1, and round */
const overhangPixels = 1;

const pixels = z.number().min(-maxPixels).max(maxPixels);
const place = pixels.transform((value) => rounded(value, decimals));
const extent = place.refine((value) => value > 0, 'a box has more than 0 pixels of width and of height');

const annotatedBox = z
  .strictObject({ class: className, x: place, y: place, width: extent, height: extent, crowd: z.boolean().optional() })
  .transform(({ crowd, ...rest }): AnnotatedBox => (crowd === true ? { ...rest, crowd } : rest));

/** Brings boxes into their one order and refuses what is annotated twice. */
export const boxes: z.ZodType<Boxes> = z
  .strictObject({ boxes: z.array(annotatedBox).max(maxBoxes, `a picture has ${maxBoxes} boxes at most`) })
  .transform(inOrder)
  .superRefine((sorted, context) => {
    const message = whyTwice(sorted);
    if (message !== undefined) context.addIssue({ code: 'custom', message, path: ['boxes'] });
  });

/** What is annotated twice; undefined: nothing. */
function whyTwice({ boxes: sorted }: Boxes): string | undefined {
  const twice = sorted.find((box, i) => i > 0 && compare(box, sorted[i - 1] ?? box) === 0);
  return twice && `the box of "${twice.class}" at ${twice.x}, ${twice.y} is there twice: an object is annotated once`;
}

/** By class, then from left to right and from top to bottom; boxes that differ in anything have an order. */
function compare(a: AnnotatedBox, b: AnnotatedBox): number {
  if (a.class !== b.class) return a.class < b.class ? -1 : 1;
  return (
    a.x - b.x ||
    a.y - b.y ||
    a.width - b.width ||
    a.height - b.height ||
    Number(a.crowd ?? false) - Number(b.crowd ?? false)
  );
}

function inOrder({ boxes: given }: Boxes): Boxes {
  return { boxes: given.toSorted(compare) };
}

/** The same text for the same boxes, in whatever order they come. */
export const canonical = (annotation: Boxes): string =>
  JSON.stringify({
    boxes: inOrder(annotation).boxes.map(({ class: name, x, y, width, height, crowd }) => ({
      ...{ class: name, x, y, width, height },
      ...(crowd === true ? { crowd } : {}),
    })),
  });

/** Boxes of each class. */
export function counts({ boxes: all }: Boxes): [string, number][] {
  const times = new Map<string, number>();
  for (const { class: name } of all) times.set(name, (times.get(name) ?? 0) + 1);
  return [...times];
}

/** how many classes are told in few words */
const mostNamed = 3;

/** In few words: `2 cat, 1 dog`, or `no boxes`. */
export function brief(annotation: Boxes): string {
  const times = counts(annotation);
  if (times.length === 0) return 'no boxes';
  const named = times.slice(0, mostNamed).map(([name, count]) => `${count} ${name}`);
  return [...named, ...(times.length > mostNamed ? ['...'] : [])].join(', ');
}

/** As part of a sentence: `with the boxes 2 cat, 1 dog`. */
export const say = (annotation: Boxes): string =>
  annotation.boxes.length === 0 ? 'without boxes' : `with the boxes ${brief(annotation)}`;

/**
 * The boxes on a picture of that size: what hangs over its edge by a pixel is cut off there, and further out no box is one
 * of this picture. Boxes that become the same by that are refused as those that come twice are.
 */
export function onPicture(
  annotation: Boxes,
  { width, height }: { width: number; height: number },
): { annotation: Boxes } | { why: string } {
  const placed: AnnotatedBox[] = [];
  for (const box of annotation.boxes) {
    const [left, top] = [Math.max(0, box.x), Math.max(0, box.y)];
    const [right, bottom] = [Math.min(width, box.x + box.width), Math.min(height, box.y + box.height)];
    const overhang = Math.max(left - box.x, top - box.y, box.x + box.width - right, box.y + box.height - bottom);
    const cut = { x: left, y: top, width: rounded(right - left, decimals), height: rounded(bottom - top, decimals) };
    if (overhang > overhangPixels || cut.width <= 0 || cut.height <= 0) {
      const said = `"${box.class}" at ${box.x}, ${box.y} with ${box.width} x ${box.height} pixels`;
      return { why: `the box of ${said} is not inside the picture, which has ${width} x ${height}` };
    }
    placed.push(overhang > 0 ? { ...box, ...cut } : box);
  }
  const sorted = inOrder({ boxes: placed });
  const why = whyTwice(sorted);
  return why === undefined ? { annotation: sorted } : { why };
}
