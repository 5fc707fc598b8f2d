import { expect, test } from 'vitest';
import { placementOf } from '../../../../shared/image/placement.ts';
import type { NamedTensors } from '../../../../shared/onnx/ends.ts';
import { averagePrecision, operatingThreshold, type Shown } from '../../../../trainers/embedded/detection/evaluate.ts';

const classes = ['cat'];
const input = { width: 100, height: 100, channels: 3 as const, fit: 'letterbox' as const };
const object = { class: 'cat', x: 10, y: 10, width: 20, height: 20 };

/** A picture with these boxes, twice as large as the input. */
const picture = (boxes: Shown['annotation']['boxes']): Shown => ({
  annotation: { boxes: boxes.map((box) => ({ ...box, x: 20, y: 20, width: 40, height: 40 })) },
  placement: placementOf({ width: 200, height: 200 }, input),
});
/** Answers on the object, or beside it. */
const answer = (...detections: [score: number, isThere: boolean][]): NamedTensors => {
  const boxes = detections.flatMap(([, isThere], i) => (isThere ? [10, 10, 30, 30] : [60, 25 * i, 80, 25 * i + 20]));
  const scores = detections.map(([score]) => score);
  return {
    boxes: { data: Float32Array.from(boxes), dims: [detections.length, 4] },
    scores: { data: Float32Array.from(scores), dims: [detections.length, 1] },
  };
};

test('a detector is to operate where it is right most often for what it misses', () => {
  const shown = [picture([object]), picture([object])];
  const answers = [answer([0.9, true], [0.6, false]), answer([0.5, true], [0.2, false])];
  // two of two objects with three detections: 2 * 2 / (2 + 3)
  const { threshold, f1 } = operatingThreshold(answers, shown, classes) ?? { threshold: 0, f1: 0 };
  expect(threshold).toBeCloseTo(0.35);
  expect(f1).toBeCloseTo(0.8);
  expect(averagePrecision(answers, shown, classes).ap50).toBeCloseTo(0.5 + 0.5 * (2 / 3), 1);
});

test('where nothing is found there is no such place, and what lies in a crowd counts neither way', () => {
  expect(operatingThreshold([answer([0.9, false])], [picture([object])], classes)).toBeUndefined();
  expect(averagePrecision([answer([0.9, false])], [picture([])], classes)).toEqual({ ap50: 0, ap: 0 });
  const crowd = picture([{ ...object, crowd: true }]);
  expect(operatingThreshold([answer([0.9, true])], [crowd], classes)).toBeUndefined();
});
