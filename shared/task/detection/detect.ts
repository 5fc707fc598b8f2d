/** From a detector's outputs to what it sees, in pixels of the upright picture. */
import { type Placement, toPicture } from '../../image/placement.ts';
import { isWithin } from '../../onnx/ends.ts';
import type { Answered } from '../models.ts';
import type { Box } from './box.ts';
import { detectorEnds } from './ends.ts';
import type { DetectorMetadata } from './metadata.ts';
import { type Detection, suppress } from './nms.ts';

/** What a detector answered for one picture. */
export interface DetectorAnswer extends Answered {
  metadata: DetectorMetadata;
}

/** The surest candidates that NMS looks at: bounds its time, whatever a model answers. */
const maxCandidates = 10_000;

const [boxesEnd, scoresEnd] = detectorEnds(0, { channels: 0, height: 0, width: 0 }).outputs;

/**
 * What a detector sees that has at least `leastScore`, the surest first and `most` of it: boxes brought back to the picture
 * and cut at its edges, those without pixels left out, then class-wise NMS with the model's own IoU. null where a number is
 * none or a score no share. Throws an Error where an output is missing or of another size.
 */
export function detect(
  { outputs, classes, placement, metadata }: DetectorAnswer,
  { leastScore, most }: { leastScore: number; most: number },
): Detection[] | null {
  const boxes = outputs['boxes']?.data ?? new Float32Array();
  const scores = outputs['scores']?.data ?? new Float32Array();
  const places = boxes.length / 4;
  if (!Number.isInteger(places) || places === 0 || scores.length !== places * classes.length)
    throw new Error(
      `the model gave ${boxes.length} coordinates and ${scores.length} scores for ${classes.length} classes`,
    );
  if (boxesEnd === undefined || scoresEnd === undefined) throw new Error('a detector has two outputs');
  if (!isWithin(boxesEnd, boxes) || !isWithin(scoresEnd, scores)) return null;
  const surest = candidates(scores, leastScore).flatMap((at): Detection[] => {
    const place = 4 * Math.floor(at / classes.length);
    const box = boxOf(boxes.subarray(place, place + 4), placement);
    return box === null ? [] : [{ class: at % classes.length, score: clamped(scores[at] ?? 0), box }];
  });
  return suppress(surest, metadata.nmsIou, most);
}

const clamped = (score: number): number => Math.min(1, Math.max(0, score));

/** Indexes of the scores that are high enough, the highest first and equal ones in their order; the surest 10,000 of them. */
function candidates(scores: Float32Array, leastScore: number): number[] {
  const found: number[] = [];
  for (let at = 0; at < scores.length; at++) if ((scores[at] ?? 0) >= leastScore) found.push(at);
  let kept = found;
  if (found.length > maxCandidates) {
    // sorting numbers is many times faster than sorting indexes by them
    const values = Float32Array.from(found, (at) => scores[at] ?? 0).sort();
    const least = values[values.length - maxCandidates] ?? 0;
    kept = found.filter((at) => (scores[at] ?? 0) >= least);
  }
  return kept.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b).slice(0, maxCandidates);
}

/** A place in the input as a box of the picture; null: nothing of it is in the picture. */
function boxOf([x1 = 0, y1 = 0, x2 = 0, y2 = 0]: Float32Array, placement: Placement): Box | null {
  const from = toPicture(placement, { x: x1, y: y1 });
  const to = toPicture(placement, { x: x2, y: y2 });
  const box = { x: from.x, y: from.y, width: to.x - from.x, height: to.y - from.y };
  return box.width > 0 && box.height > 0 ? box : null;
}
