/** Schemas of what the API shows of each kind's JSON: unions, of which an answer has the form of its project's kind. */
import * as z from 'zod';
import * as ofClassifiers from './classification/views.ts';
import * as ofDetectors from './detection/views.ts';

export const verdict = z.union([ofClassifiers.classVerdictView, ofDetectors.detectorVerdictView]);
export const metricsView = z.union([ofClassifiers.metricsView, ofDetectors.metricsView]);
export const metricsSummary = z.union([ofClassifiers.metricsSummary, ofDetectors.metricsSummary]);

/** A verdict in lists, with what lists show beside it. */
export const verdictSummaryWith = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.union([ofClassifiers.verdictSummary.extend(shape), ofDetectors.verdictSummary.extend(shape)]);

/** A prediction, with what the API shows beside it. */
export const predictionWith = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.union([ofClassifiers.predictionView.extend(shape), ofDetectors.predictionView.extend(shape)]);

/** A prediction that there is, with what a score answers beside it. */
export const scoreWith = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.union([ofClassifiers.scoreView.extend(shape), ofDetectors.scoreView.extend(shape)]);
