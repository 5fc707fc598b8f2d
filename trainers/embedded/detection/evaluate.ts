/** How good a detector is on validation pictures, by the task kind's own measure, and where it is to operate. */
import type { Placement } from '../../../shared/image/placement.ts';
import type { NamedTensors } from '../../../shared/onnx/ends.ts';
import type { Boxes } from '../../../shared/task/detection/annotation.ts';
import { assess } from '../../../shared/task/detection/assessment.ts';
import { areaOf } from '../../../shared/task/detection/box.ts';
import { detect, type DetectorAnswer } from '../../../shared/task/detection/detect.ts';
import { sizes } from '../../../shared/task/detection/judged.ts';
import { match, outcomes, overlaps, type Truth } from '../../../shared/task/detection/match.ts';
import { measure } from '../../../shared/task/detection/metrics.ts';

/** What a picture shows, in its own pixels, and where it lies in the model's input. */
export interface Shown {
  annotation: Boxes;
  placement: Placement;
}

/**
 * IoU above which the less sure of two detections of a class is a double: peaks of the heat map have left few, and two on one
 * large object lie nearer to each other than objects do.
 */
export const nmsIou = 0.5;
/** IoU at which an object is found */
const foundAt = 0.5;
/** detections less sure than that are none that anybody would operate with */
const leastThreshold = 0.05;
const mostDetections = 100;

const answerOf = (outputs: NamedTensors, { placement }: Shown, classes: readonly string[]): DetectorAnswer => ({
  ...{ outputs, classes, placement },
  metadata: { nmsIou, scoreThreshold: leastThreshold },
});

/** COCO's average precision at an IoU of 0.5, and its mean from 0.5 to 0.95; 0 where nothing is shown. */
export function averagePrecision(
  answers: readonly NamedTensors[],
  shown: readonly Shown[],
  classes: readonly string[],
): { ap50: number; ap: number } {
  const assessed = shown.map((one, i) => assess(one.annotation, answerOf(answers[i] ?? {}, one, classes), null));
  const { ap50, ap } = measure(assessed, classes);
  return { ap50: ap50 ?? 0, ap: ap ?? 0 };
}

/** What becomes of each detection of one picture. */
function judged(outputs: NamedTensors, shown: Shown, classes: readonly string[]): { score: number; outcome: number }[] {
  const answer = answerOf(outputs, shown, classes);
  const seen = detect(answer, { leastScore: leastThreshold, most: mostDetections }) ?? [];
  return classes.flatMap((name, index) => {
    const detections = seen.filter((one) => one.class === index);
    const truths = shown.annotation.boxes.flatMap((box): Truth[] =>
      box.class === name ? [{ box, area: areaOf(box), crowd: box.crowd === true }] : [],
    );
    const boxes = detections.map(({ box }) => box);
    const matched = match(boxes, truths, overlaps(boxes, truths), { threshold: foundAt, size: sizes.all });
    return detections.map(({ score }, i) => ({ score, outcome: matched.detections[i] ?? outcomes.wrong }));
  });
}

/** The score from which on detections are right most often for what they miss: the best F1 over all classes; undefined: nothing is found. */
export function operatingThreshold(
  answers: readonly NamedTensors[],
  shown: readonly Shown[],
  classes: readonly string[],
): { threshold: number; f1: number } | undefined {
  const objects = shown.flatMap(({ annotation }) => annotation.boxes).filter(({ crowd }) => crowd !== true).length;
  const detections = shown
    .flatMap((one, i) => judged(answers[i] ?? {}, one, classes))
    .filter(({ outcome }) => outcome !== outcomes.ignored)
    .sort((a, b) => b.score - a.score);
  let right = 0;
  let best: { threshold: number; f1: number } | undefined;
  for (const [i, { score, outcome }] of detections.entries()) {
    if (outcome === outcomes.right) right++;
    const next = detections[i + 1]?.score ?? leastThreshold;
    // those of one score come together
    if (next === score) continue;
    const f1 = (2 * right) / (i + 1 + objects);
    if (right > 0 && f1 > (best?.f1 ?? 0)) best = { threshold: (score + next) / 2, f1 };
  }
  return best;
}
