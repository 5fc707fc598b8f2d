/** What training keeps of a detector's answers, and whether a served one answers the same. */
import * as z from 'zod';
import type { KeptAnswer } from '../models.ts';
import { type Box, iou } from './box.ts';
import { detect, type DetectorAnswer } from './detect.ts';
import { maxAnswered } from './prediction.ts';

/** Class by its index, score, x, y, width, height: with names 64 samples would not fit into a model's document. */
type KeptBox = readonly [number, number, number, number, number, number];

export interface KeptBoxes extends KeptAnswer {
  boxes: KeptBox[];
}

/** Training and serving run the same graph on the same pixels; other machines differ in the last digits, int8 in a few more. */
const scoreTolerance = 0.01;
/** the same box: two decimals of a small one, and which of two equal ones NMS kept */
const leastIou = 0.9;

/** Boxes with their classes' names, kept with their indexes. Messages follow `smoke.json `. */
export function keptAnswer(classes: readonly string[]) {
  const number = z.number({ error: 'has a box without score, x, y, width or height' });
  const box = z
    .object(
      {
        class: z.enum(classes, { error: 'has a box of a class that the job does not name' }),
        score: number.min(0, 'has a score below 0').max(1, 'has a score above 1'),
        ...{ x: number, y: number, width: number, height: number },
      },
      { error: 'has a box that is no object' },
    )
    .transform((b): KeptBox => [classes.indexOf(b.class), b.score, b.x, b.y, b.width, b.height]);
  const boxes = z
    .array(box, { error: 'has no boxes' })
    .max(maxAnswered, `has more than ${maxAnswered} boxes of a sample`);
  return z.object({ boxes });
}

/** The same in words. */
export const sayKeptAnswer = (): string =>
  `boxes, each with class, score, x, y, width and height in pixels of the picture, after NMS and from the score threshold on`;

interface Seen extends Box {
  class: number;
  score: number;
}

/** The first box that one of the two is sure of and the other lacks, as the end of a sentence. */
export function departs({ boxes }: KeptBoxes, served: DetectorAnswer): string | undefined {
  const { scoreThreshold } = served.metadata;
  const found = detect(served, { leastScore: scoreThreshold - scoreTolerance, most: maxAnswered });
  if (found === null) return 'is not answered, and was in training';
  const kept = boxes.map(([index, score, x, y, width, height]): Seen => ({ class: index, score, x, y, width, height }));
  const now = found.map(({ class: index, score, box }): Seen => ({ class: index, score, ...box }));
  // what is close to the threshold may be on either side of it, and what is beyond the 300th box in neither
  const isSure = ({ score }: Seen): boolean => score >= scoreThreshold + scoreTolerance;
  const lacks = (some: Seen[], others: Seen[]): Seen | undefined =>
    some.filter(isSure).find((one) => !others.some((other) => isSame(one, other)));
  const say = ({ class: index, score, x, y }: Seen): string =>
    `"${served.classes[index] ?? ''}" at ${x.toFixed(0)}, ${y.toFixed(0)} with a score of ${score.toFixed(3)}`;
  const gone = lacks(kept, now);
  if (gone !== undefined) return `lacks ${say(gone)}, which training kept`;
  const added = kept.length < maxAnswered ? lacks(now, kept) : undefined;
  return added === undefined ? undefined : `shows ${say(added)}, which training did not`;
}

const isSame = (a: Seen, b: Seen): boolean =>
  a.class === b.class && Math.abs(a.score - b.score) <= scoreTolerance && iou(a, b) >= leastIou;
