/** The task kind of classifiers: every picture shows one of the project's classes. */
import * as z from 'zod';
import type { TaskKind } from '../task.ts';
import { brief, canonical, counts, fieldsOf, filter, folder, type Labelled, labelled, say } from './annotation.ts';
import { classifierEnds } from './ends.ts';
import { evaluate } from './evaluate.ts';
import { examples } from './examples.ts';
import { fromFolder, fromMetadata, toFolder } from './from-upload.ts';
import { manifestLine } from './manifest.ts';
import { assess, compared } from './metrics.ts';
import { decode, noAnswer, uncertainty } from './prediction.ts';
import { inputSize, settings } from './settings.ts';
import { departs, keptAnswer, sayKeptAnswer } from './smoke.ts';
import { cells, columns } from './table.ts';
import { untrainable } from './trainable.ts';
import { builtInTrainers } from './trainers.ts';
import { toMetricsSummary, toMetricsView, toPredictionView, toVerdictSummary, toVerdictView } from './views.ts';

export const classification: TaskKind<Labelled> = {
  name: 'classification',
  settings,
  annotation: labelled,
  canonical,
  counts,
  brief,
  changes: () => ({}),
  say,
  onPicture: (annotation) => ({ annotation }),
  fromFolder,
  toFolder,
  fromMetadata,
  sidecars: false,
  filter,
  folder,
  fieldsOf,
  untrainable,
  manifestLine,
  trainers: builtInTrainers,
  fit: 'stretch',
  inputSize,
  ends: (classes, input) => classifierEnds({ ...input, classes: classes.length }),
  metadata: z.object({}),
  decode,
  noAnswer,
  uncertainty,
  assess,
  assessment: compared,
  evaluate,
  keptAnswer,
  sayKeptAnswer,
  departs,
  examples,
  table: { columns, cells },
  views: {
    prediction: toPredictionView,
    metrics: toMetricsView,
    metricsSummary: toMetricsSummary,
    verdict: toVerdictView,
    verdictSummary: toVerdictSummary,
  },
};
