/** What the API shows of classifiers. */
import * as z from 'zod';
import type { ClassVerdict } from './gate.ts';
import { type Measured } from './metrics.ts';
import type { ClassPrediction } from './prediction.ts';
/** What a score answers. */
export declare const scoreView: z.ZodObject<
  {
    class: z.ZodString;
    probabilities: z.ZodRecord<z.ZodString, z.ZodNumber>;
  },
  z.core.$strip
>;
/** null, and no probabilities: the model had no answer */
export declare const predictionView: z.ZodObject<
  {
    probabilities: z.ZodRecord<z.ZodString, z.ZodNumber>;
    class: z.ZodNullable<z.ZodString>;
  },
  z.core.$strip
>;
/** A prediction, or what stands for none. */
export declare const toPredictionView: (prediction: ClassPrediction | null) => z.infer<typeof predictionView>;
/** The metrics of a model. */
export declare const metricsView: z.ZodObject<
  {
    accuracy: z.ZodNullable<z.ZodNumber>;
    samples: z.ZodNumber;
    recall: z.ZodRecord<z.ZodString, z.ZodNullable<z.ZodNumber>>;
    support: z.ZodRecord<z.ZodString, z.ZodNumber>;
    confusion: z.ZodArray<z.ZodArray<z.ZodNumber>>;
  },
  z.core.$strip
>;
/** What a list shows of them. */
export declare const metricsSummary: z.ZodObject<
  {
    accuracy: z.ZodNullable<z.ZodNumber>;
    samples: z.ZodNumber;
  },
  z.core.$strip
>;
/** The summary of metrics; without a test sample there is no accuracy. */
export declare const toMetricsSummary: ({ accuracy, samples }: Measured) => z.infer<typeof metricsSummary>;
/** As the confusion matrix says: a class without a test sample has no recall. */
export declare function toMetricsView(metrics: Measured, classes: readonly string[]): z.infer<typeof metricsView>;
/** What the gate found, with the numbers that its rules looked at. */
export declare const classVerdictView: z.ZodObject<
  {
    decision: z.ZodEnum<{
      approved: 'approved';
      rejected: 'rejected';
    }>;
    reasons: z.ZodArray<z.ZodString>;
    samples: z.ZodNumber;
    accuracy: z.ZodNullable<z.ZodNumber>;
    interval: z.ZodObject<
      {
        low: z.ZodNumber;
        high: z.ZodNumber;
      },
      z.core.$strip
    >;
    champion: z.ZodNullable<
      z.ZodObject<
        {
          onlyCandidateRight: z.ZodNumber;
          pValue: z.ZodNumber;
          model: z.ZodNumber;
          accuracy: z.ZodNumber;
          onlyChampionRight: z.ZodNumber;
        },
        z.core.$strip
      >
    >;
    baseline: z.ZodNullable<
      z.ZodObject<
        {
          onlyCandidateRight: z.ZodNumber;
          pValue: z.ZodNumber;
          class: z.ZodString;
          accuracy: z.ZodNumber;
          onlyBaselineRight: z.ZodNumber;
        },
        z.core.$strip
      >
    >;
  },
  z.core.$strip
>;
/** What a list shows of a verdict. */
export declare const verdictSummary: z.ZodObject<
  {
    decision: z.ZodEnum<{
      approved: 'approved';
      rejected: 'rejected';
    }>;
    samples: z.ZodNumber;
    accuracy: z.ZodNullable<z.ZodNumber>;
  },
  z.core.$strip
>;
/** A verdict with its numbers. */
export declare const toVerdictView: (v: ClassVerdict) => z.infer<typeof classVerdictView>;
/** What a list shows beside the decision. */
export declare const toVerdictSummary: ({ samples, accuracy }: ClassVerdict) => {
  samples: number;
  accuracy: number | null;
};
