/** What a detector says a picture shows. */
import { type Box, rounded } from './box.ts';
import { detect, type DetectorAnswer } from './detect.ts';

export interface DetectedBox extends Box {
  class: string;
  score: number;
}

export interface BoxPrediction {
  /** the surest first */
  boxes: DetectedBox[];
}

/** boxes that a score answers at most */
export const maxAnswered = 300;
const pixelDecimals = 2;
const scoreDecimals = 4;

/** What a detector sees above its operating threshold, the surest 300 boxes; null where its numbers are none. */
export function decode(answered: DetectorAnswer): BoxPrediction | null {
  const { classes, metadata, placement } = answered;
  const found = detect(answered, { leastScore: metadata.scoreThreshold, most: maxAnswered });
  if (found === null) return null;
  const boxes = found.map(({ class: index, score, box }) => ({
    ...{ class: classes[index] ?? '', score: rounded(score, scoreDecimals) },
    ...onGrid(box, placement.picture),
  }));
  return { boxes: boxes.filter(({ width, height }) => width > 0 && height > 0) };
}

/** Two decimals, and still inside the picture. */
function onGrid(box: Box, picture: { width: number; height: number }): Box {
  const [x, y] = [rounded(box.x, pixelDecimals), rounded(box.y, pixelDecimals)];
  const right = Math.min(picture.width, rounded(box.x + box.width, pixelDecimals));
  const bottom = Math.min(picture.height, rounded(box.y + box.height, pixelDecimals));
  return { x, y, width: rounded(right - x, pixelDecimals), height: rounded(bottom - y, pixelDecimals) };
}

/** Why there is no prediction. */
export const noAnswer = 'its numbers are no boxes (not-a-number, or scores that are not from 0 to 1)';

/** Least confidence (Settles, Active Learning Literature Survey, 3.1) of the box that the model is least sure of; 0 without boxes. */
export const uncertainty = ({ boxes }: BoxPrediction): number => 1 - Math.min(1, ...boxes.map(({ score }) => score));
