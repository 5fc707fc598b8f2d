/** What the API shows of detectors. */
import * as z from 'zod';
import type { LabelledRectangle } from '../../image/draw.ts';
import { verdictView } from '../verdict.ts';
import type { DetectorVerdict } from './gate.ts';
import type { Measured } from './metrics.ts';
import type { BoxPrediction } from './prediction.ts';

/** The surest first, in pixels of the upright picture. */
const boxes = z.array(
  z.object({
    ...{ class: z.string(), score: z.number() },
    ...{ x: z.number(), y: z.number(), width: z.number(), height: z.number() },
  }),
);

const annotatedBox = z.object({
  class: z.string(),
  ...{ x: z.number(), y: z.number(), width: z.number(), height: z.number() },
  crowd: z.literal(true).optional(),
});
const pairs = z.array(z.object({ before: annotatedBox, after: annotatedBox }));

/** What became of the boxes of a picture. */
export const boxChanges = z.object({
  added: z.array(annotatedBox),
  removed: z.array(annotatedBox),
  /** of the same class, and about where they were */
  moved: pairs,
  /** about where they were, and of another class */
  relabelled: pairs,
});

/** What a score answers. */
export const scoreView = z.object({ boxes });

/** null: the model had no answer */
export const predictionView = z.object({ boxes: boxes.nullable() });

/** A prediction, or what stands for none. */
export const toPredictionView = (prediction: BoxPrediction | null): z.infer<typeof predictionView> => ({
  boxes: prediction?.boxes ?? null,
});

/** Each box with its class and how sure the model is of it: `cat 93 %`. */
export const toDrawing = (prediction: BoxPrediction): LabelledRectangle[] =>
  prediction.boxes.map(({ class: name, score, ...box }) => ({
    ...{ ...box, text: `${cut(name)} ${Math.round(score * 100)} %`, group: name },
  }));

/** what a long name leaves beside it is the score */
const maxNameLength = 32;
const cut = (name: string): string => {
  const characters = Array.from(name);
  return characters.length > maxNameLength ? `${characters.slice(0, maxNameLength - 1).join('')}…` : name;
};

const share = z.number().nullable();
const operating = { objects: z.number(), found: z.number(), false: z.number() };
/** COCO's twelve numbers; null where there is no object of that size */
const averagePrecision = {
  ...{ ap: share, ap50: share, ap75: share, apSmall: share, apMedium: share, apLarge: share },
  ...{ ar1: share, ar10: share, ar100: share, arSmall: share, arMedium: share, arLarge: share },
};

/** The metrics of a model. */
export const metricsView = z.object({
  samples: z.number(),
  ...averagePrecision,
  /** at the model's score threshold and an IoU of 0.5 */
  operating: z.object(operating),
  classes: z.record(z.string(), z.object({ ...averagePrecision, ...operating })),
});
/** What a list shows of them. */
export const metricsSummary = metricsView.pick({ ap: true, ap50: true, samples: true });

/** The summary of metrics. */
export const toMetricsSummary = ({ ap, ap50, samples }: Measured): z.infer<typeof metricsSummary> => ({
  ...{ ap, ap50, samples },
});

/** The metrics with the names of the classes. */
export function toMetricsView(metrics: Measured, classes: readonly string[]): z.infer<typeof metricsView> {
  const { unanswered: _, classes: perClass, ...all } = metrics;
  const named = classes.flatMap((name, i) => {
    const ofClass = perClass[i];
    return ofClass === undefined ? [] : [[name, ofClass] as const];
  });
  return { ...all, classes: Object.fromEntries(named) };
}

/** What the gate found, with the numbers that its rules looked at. */
export const detectorVerdictView = verdictView.extend({
  ...{ ap: share, ap50: share, ...operating },
  champion: z
    .object({
      ...{ model: z.number(), found: z.number(), onlyChampionFound: z.number(), onlyCandidateFound: z.number() },
      ...{ pValue: z.number(), false: z.number(), falsePValue: z.number() },
    })
    .nullable(),
});

/** What a list shows of a verdict. */
export const verdictSummary = detectorVerdictView.pick({ decision: true, samples: true, ap: true, ap50: true });

/** A verdict with its numbers. */
export const toVerdictView = (verdict: DetectorVerdict): z.infer<typeof detectorVerdictView> => verdict;

/** What a list shows beside the decision. */
export const toVerdictSummary = ({ samples, ap, ap50 }: DetectorVerdict) => ({ samples, ap, ap50 });
