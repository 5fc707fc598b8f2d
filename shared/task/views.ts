/** Schemas of what the API shows of each kind's JSON: one, or a union where there are more kinds. */
import type * as z from 'zod';
import * as ofClassifiers from './classification/views.ts';

export const verdict = ofClassifiers.classVerdictView;
export const metricsView = ofClassifiers.metricsView;
export const metricsSummary = ofClassifiers.metricsSummary;

/** A verdict in lists, with what lists show beside it. */
export const verdictSummaryWith = <Shape extends z.ZodRawShape>(shape: Shape) =>
  ofClassifiers.verdictSummary.extend(shape);

/** A prediction, with what the API shows beside it. */
export const predictionWith = <Shape extends z.ZodRawShape>(shape: Shape) => ofClassifiers.predictionView.extend(shape);

/** A prediction that there is, with what a score answers beside it. */
export const scoreWith = <Shape extends z.ZodRawShape>(shape: Shape) => ofClassifiers.scoreView.extend(shape);
