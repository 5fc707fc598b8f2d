/** What the API shows of detectors. */
import * as z from 'zod';
import type { DetectorVerdict } from './gate.ts';
import type { Measured } from './metrics.ts';
import type { BoxPrediction } from './prediction.ts';
/** What a score answers. */
export declare const scoreView: z.ZodObject<
  {
    boxes: z.ZodArray<
      z.ZodObject<
        {
          class: z.ZodString;
          score: z.ZodNumber;
          x: z.ZodNumber;
          y: z.ZodNumber;
          width: z.ZodNumber;
          height: z.ZodNumber;
        },
        z.core.$strip
      >
    >;
  },
  z.core.$strip
>;
/** null: the model had no answer */
export declare const predictionView: z.ZodObject<
  {
    boxes: z.ZodNullable<
      z.ZodArray<
        z.ZodObject<
          {
            class: z.ZodString;
            score: z.ZodNumber;
            x: z.ZodNumber;
            y: z.ZodNumber;
            width: z.ZodNumber;
            height: z.ZodNumber;
          },
          z.core.$strip
        >
      >
    >;
  },
  z.core.$strip
>;
/** A prediction, or what stands for none. */
export declare const toPredictionView: (prediction: BoxPrediction | null) => z.infer<typeof predictionView>;
/** The metrics of a model. */
export declare const metricsView: z.ZodObject<
  {
    ap: z.ZodNullable<z.ZodNumber>;
    ap50: z.ZodNullable<z.ZodNumber>;
    ap75: z.ZodNullable<z.ZodNumber>;
    apSmall: z.ZodNullable<z.ZodNumber>;
    apMedium: z.ZodNullable<z.ZodNumber>;
    apLarge: z.ZodNullable<z.ZodNumber>;
    ar1: z.ZodNullable<z.ZodNumber>;
    ar10: z.ZodNullable<z.ZodNumber>;
    ar100: z.ZodNullable<z.ZodNumber>;
    arSmall: z.ZodNullable<z.ZodNumber>;
    arMedium: z.ZodNullable<z.ZodNumber>;
    arLarge: z.ZodNullable<z.ZodNumber>;
    samples: z.ZodNumber;
    operating: z.ZodObject<
      {
        objects: z.ZodNumber;
        found: z.ZodNumber;
        false: z.ZodNumber;
      },
      z.core.$strip
    >;
    classes: z.ZodRecord<
      z.ZodString,
      z.ZodObject<
        {
          objects: z.ZodNumber;
          found: z.ZodNumber;
          false: z.ZodNumber;
          ap: z.ZodNullable<z.ZodNumber>;
          ap50: z.ZodNullable<z.ZodNumber>;
          ap75: z.ZodNullable<z.ZodNumber>;
          apSmall: z.ZodNullable<z.ZodNumber>;
          apMedium: z.ZodNullable<z.ZodNumber>;
          apLarge: z.ZodNullable<z.ZodNumber>;
          ar1: z.ZodNullable<z.ZodNumber>;
          ar10: z.ZodNullable<z.ZodNumber>;
          ar100: z.ZodNullable<z.ZodNumber>;
          arSmall: z.ZodNullable<z.ZodNumber>;
          arMedium: z.ZodNullable<z.ZodNumber>;
          arLarge: z.ZodNullable<z.ZodNumber>;
        },
        z.core.$strip
      >
    >;
  },
  z.core.$strip
>;
/** What a list shows of them. */
export declare const metricsSummary: z.ZodObject<
  {
    ap: z.ZodNullable<z.ZodNumber>;
    ap50: z.ZodNullable<z.ZodNumber>;
    samples: z.ZodNumber;
  },
  z.core.$strip
>;
/** The summary of metrics. */
export declare const toMetricsSummary: ({ ap, ap50, samples }: Measured) => z.infer<typeof metricsSummary>;
/** The metrics with the names of the classes. */
export declare function toMetricsView(metrics: Measured, classes: readonly string[]): z.infer<typeof metricsView>;
/** What the gate found, with the numbers that its rules looked at. */
export declare const detectorVerdictView: z.ZodObject<
  {
    decision: z.ZodEnum<{
      approved: 'approved';
      rejected: 'rejected';
    }>;
    reasons: z.ZodArray<z.ZodString>;
    samples: z.ZodNumber;
    objects: z.ZodNumber;
    found: z.ZodNumber;
    false: z.ZodNumber;
    ap: z.ZodNullable<z.ZodNumber>;
    ap50: z.ZodNullable<z.ZodNumber>;
    champion: z.ZodNullable<
      z.ZodObject<
        {
          model: z.ZodNumber;
          found: z.ZodNumber;
          onlyChampionFound: z.ZodNumber;
          onlyCandidateFound: z.ZodNumber;
          pValue: z.ZodNumber;
          false: z.ZodNumber;
          falsePValue: z.ZodNumber;
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
    ap: z.ZodNullable<z.ZodNumber>;
    ap50: z.ZodNullable<z.ZodNumber>;
  },
  z.core.$strip
>;
/** A verdict with its numbers. */
export declare const toVerdictView: (verdict: DetectorVerdict) => z.infer<typeof detectorVerdictView>;
/** What a list shows beside the decision. */
export declare const toVerdictSummary: ({ samples, ap, ap50 }: DetectorVerdict) => {
  samples: number;
  ap: number | null;
  ap50: number | null;
};
