/** Average precision and recall of one class, as COCO has them (`accumulate` in cocoapi's PythonAPI/pycocotools/cocoeval.py). */
import { type JudgedClass, maxDetections, outcomeAt, thresholds } from './judged.ts';
import { outcomes } from './match.ts';

/** recalls at which precision is read: 0, 0.01 .. 1, in the digits that numpy's linspace gives */
const recalls = Array.from({ length: 101 }, (_, i) => i * 0.01);

export interface SizeMetrics {
  /** precision at 101 recalls, for each threshold */
  precision: Float64Array[];
  /** greatest recall, for each threshold */
  recall: number[];
}

/** Indexes of detections, the surest first, equal ones in their order. */
export const bySureness = ({ scores }: JudgedClass): Uint32Array =>
  Uint32Array.from(scores.keys()).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);

/**
 * Precision and recall of a class of which there are `objects` of a size, given the outcomes of its detections at that size,
 * `most` of each picture.
 */
export function measureSize(
  judged: JudgedClass,
  order: Uint32Array,
  codes: Uint16Array,
  objects: number,
  most = maxDetections,
): SizeMetrics {
  const perThreshold = thresholds.map((_, t) => {
    const right = new Uint32Array(order.length);
    const precision = new Float64Array(order.length);
    let [counted, hits] = [0, 0];
    for (const at of order) {
      if ((judged.ranks[at] ?? 0) >= most) continue;
      const outcome = outcomeAt(codes[at] ?? 0, t);
      if (outcome === outcomes.ignored) continue;
      if (outcome === outcomes.right) hits++;
      right[counted] = hits;
      precision[counted] = hits / (counted + 1);
      counted++;
    }
    for (let i = counted - 2; i >= 0; i--) precision[i] = Math.max(precision[i] ?? 0, precision[i + 1] ?? 0);
    let at = 0;
    const curve = Float64Array.from(recalls, (recall) => {
      while (at < counted && (right[at] ?? 0) / objects < recall) at++;
      return at < counted ? (precision[at] ?? 0) : 0;
    });
    return { curve, recall: hits / objects };
  });
  return { precision: perThreshold.map(({ curve }) => curve), recall: perThreshold.map(({ recall }) => recall) };
}
