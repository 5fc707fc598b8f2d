/** What the API shows of classifiers. */
import * as z from 'zod';
import { verdictView } from '../verdict.ts';
import type { ClassVerdict } from './gate.ts';
import { type Measured, recallOf, supportOf } from './metrics.ts';
import type { ClassPrediction } from './prediction.ts';

const byClass = z.record(z.string(), z.number());

/** What a score answers. */
export const scoreView = z.object({ class: z.string(), probabilities: byClass });

/** null, and no probabilities: the model had no answer */
export const predictionView = scoreView.extend({ class: z.string().nullable() });

/** A prediction, or what stands for none. */
export const toPredictionView = (prediction: ClassPrediction | null): z.infer<typeof predictionView> =>
  prediction ?? { class: null, probabilities: {} };

/** The metrics of a model. */
export const metricsView = z.object({
  /** null where there is no test sample, as is the recall of a class without one */
  accuracy: z.number().nullable(),
  samples: z.number(),
  recall: z.record(z.string(), z.number().nullable()),
  /** test samples of each class */
  support: byClass,
  confusion: z.array(z.array(z.number())),
});
/** What a list shows of them. */
export const metricsSummary = metricsView.pick({ accuracy: true, samples: true });

/** The summary of metrics; without a test sample there is no accuracy. */
export const toMetricsSummary = ({ accuracy, samples }: Measured): z.infer<typeof metricsSummary> => ({
  ...{ accuracy: samples === 0 ? null : accuracy, samples },
});

/** As the confusion matrix says: a class without a test sample has no recall. */
export function toMetricsView(metrics: Measured, classes: readonly string[]): z.infer<typeof metricsView> {
  const recall = recallOf(metrics);
  const support = supportOf(metrics);
  return {
    ...toMetricsSummary(metrics),
    recall: Object.fromEntries(classes.map((name, i) => [name, recall[i] ?? null])),
    support: Object.fromEntries(classes.map((name, i) => [name, support[i] ?? 0])),
    confusion: metrics.confusion,
  };
}

const pairs = { onlyCandidateRight: z.number(), pValue: z.number() };
/** What the gate found, with the numbers that its rules looked at. */
export const classVerdictView = verdictView.extend({
  /** null where there is no test sample */
  accuracy: z.number().nullable(),
  interval: z.object({ low: z.number(), high: z.number() }),
  champion: z.object({ model: z.number(), accuracy: z.number(), onlyChampionRight: z.number(), ...pairs }).nullable(),
  /** always answering the class that most test samples have; null where nobody compared with it */
  baseline: z.object({ class: z.string(), accuracy: z.number(), onlyBaselineRight: z.number(), ...pairs }).nullable(),
});

/** What a list shows of a verdict. */
export const verdictSummary = classVerdictView.pick({ decision: true, samples: true, accuracy: true });

/** A verdict with its numbers. */
export const toVerdictView = (v: ClassVerdict): z.infer<typeof classVerdictView> => {
  const { decision, reasons, interval, champion, baseline = null } = v;
  return { decision, reasons, ...toVerdictSummary(v), interval, champion, baseline };
};

/** What a list shows beside the decision. */
export const toVerdictSummary = ({ samples, accuracy }: ClassVerdict) => ({
  ...{ samples, accuracy: samples === 0 ? null : accuracy },
});
