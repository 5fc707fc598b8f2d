/** What a detector answered, as its outputs. */
import { placementOf } from '../../../../shared/image/placement.ts';
import type { Box } from '../../../../shared/task/detection/box.ts';
import type { DetectorAnswer } from '../../../../shared/task/detection/detect.ts';

export interface Seen {
  class: string;
  score: number;
  box: Box;
}

/** A place for each detection, in an input of the picture's size; every overlapping one stays, and what has 0.3 is answered. */
export function answerOf(
  classes: readonly string[],
  seen: readonly Seen[],
  { picture = { width: 64, height: 64 }, nmsIou = 1, scoreThreshold = 0.3 } = {},
): DetectorAnswer {
  // a model has places where it sees nothing
  const places = [...seen, { class: '', score: 0, box: { x: 0, y: 0, width: 1, height: 1 } }];
  const corners = places.flatMap(({ box: { x, y, width, height } }) => [x, y, x + width, y + height]);
  const scores = places.flatMap(({ class: shown, score }) => classes.map((name) => (name === shown ? score : 0)));
  return {
    outputs: {
      boxes: { data: Float32Array.from(corners), dims: [places.length, 4] },
      scores: { data: Float32Array.from(scores), dims: [places.length, classes.length] },
    },
    classes,
    metadata: { nmsIou, scoreThreshold },
    placement: placementOf(picture, { ...picture, fit: 'letterbox' }),
  };
}
