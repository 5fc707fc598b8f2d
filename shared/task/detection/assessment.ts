/** How a candidate, and the champion beside it, did on one test sample: few enough bytes that an evaluation keeps 100,000 of them. */
import * as z from 'zod';
import type { Boxes } from './annotation.ts';
import { areaOf, type Box } from './box.ts';
import { detect, type DetectorAnswer } from './detect.ts';
import { judge, maxDetections, sizes } from './judged.ts';
import { isIgnored, match, outcomes, overlaps, type Truth } from './match.ts';
import { maxAnswered } from './prediction.ts';

/** a score as low as this says nothing, and models give thousands of them */
const leastScore = 1e-3;
/** IoU at which an object is found, for whoever works with the model */
const foundAt = 0.5;

/** Counts of one class in one picture. */
const ofClass = z.tuple([
  /** index of the class */
  z.int(),
  /** objects that count: all, small, medium, large ones */
  ...([z.int(), z.int(), z.int(), z.int()] as const),
  /** at the models' operating thresholds: objects found by the candidate, by the champion, by both */
  ...([z.int(), z.int(), z.int()] as const),
  /** false detections of the candidate, and of the champion */
  ...([z.int(), z.int()] as const),
]);
export type ClassCounts = z.infer<typeof ofClass>;

export const assessed = z.object({
  /** classes of which something is there or was seen */
  classes: z.array(ofClass),
  /** what became of the candidate's surest detections (judged.ts) */
  detections: z.base64(),
  /** the candidate had no answer */
  unanswered: z.literal(true).optional(),
});
export type Assessed = z.infer<typeof assessed>;

/** Compares answers by the names of classes: the champion may know others. A model without an answer sees nothing. */
export function assess(annotation: Boxes, candidate: DetectorAnswer, champion: DetectorAnswer | null): Assessed {
  const seen = detect(candidate, { leastScore, most: maxDetections });
  const truths = candidate.classes.map((name) => truthsOf(annotation, name));
  const ofCandidate = answered(candidate);
  const ofChampion = champion === null ? new Map<string, Box[]>() : answered(champion);
  const classes = candidate.classes.flatMap((name, index): ClassCounts[] => {
    const shown = truths[index] ?? [];
    const first = operate(ofCandidate.get(name) ?? [], shown);
    const second = operate(ofChampion.get(name) ?? [], shown);
    if (shown.length + first.wrong + second.wrong === 0) return [];
    const [all = 0, small = 0, medium = 0, large = 0] = Object.values(sizes).map(
      (size) => shown.filter((truth) => !isIgnored(truth, size)).length,
    );
    const [found, foundBefore] = [first.found.filter(Boolean).length, second.found.filter(Boolean).length];
    const both = first.found.filter((isFound, i) => isFound && second.found[i] === true).length;
    return [[index, all, small, medium, large, found, foundBefore, both, first.wrong, second.wrong]];
  });
  const judged = { classes, detections: judge(seen ?? [], truths) };
  return seen === null ? { ...judged, unanswered: true } : judged;
}

const truthsOf = ({ boxes }: Boxes, name: string): Truth[] =>
  boxes.flatMap((box) => (box.class === name ? [{ box, area: areaOf(box), crowd: box.crowd === true }] : []));

/** What a model answers whoever works with it, by class. */
function answered(model: DetectorAnswer): Map<string, Box[]> {
  const found = detect(model, { leastScore: model.metadata.scoreThreshold, most: maxAnswered }) ?? [];
  const byClass = Map.groupBy(found, (one) => model.classes[one.class] ?? '');
  return new Map([...byClass].map(([name, ofName]) => [name, ofName.map(({ box }) => box)]));
}

/** Which objects were found, crowds aside, and how many detections were of none. */
function operate(boxes: readonly Box[], truths: readonly Truth[]): { found: boolean[]; wrong: number } {
  const settings = { threshold: foundAt, size: sizes.all };
  const { detections, found } = match(boxes, truths, overlaps(boxes, truths), settings);
  return {
    found: found.map((isFound, i) => isFound && truths[i]?.crowd !== true),
    wrong: detections.filter((outcome) => outcome === outcomes.wrong).length,
  };
}
