/** The task kind of detectors: every picture shows any number of objects of the project's classes, each in a box. */
import type { TaskKind } from '../task.ts';
import { boxes, type Boxes, brief, canonical, counts, onPicture, say } from './annotation.ts';
import { assess, assessed } from './assessment.ts';
import { changesOf } from './diff.ts';
import { detectorEnds } from './ends.ts';
import { evaluate } from './evaluate.ts';
import { examples } from './examples.ts';
import { fromFolder, fromMetadata, toFolder } from './from-upload.ts';
import { manifestLine } from './manifest.ts';
import { metadata } from './metadata.ts';
import { decode, noAnswer, uncertainty } from './prediction.ts';
import { inputSize, settings } from './settings.ts';
import { departs, keptAnswer, sayKeptAnswer } from './smoke.ts';
import { untrainable } from './trainable.ts';
import { builtInTrainers } from './trainers.ts';
import {
  toDrawing,
  toMetricsSummary,
  toMetricsView,
  toPredictionView,
  toVerdictSummary,
  toVerdictView,
} from './views.ts';

export const detection: TaskKind<Boxes> = {
  name: 'detection',
  settings,
  annotation: boxes,
  canonical,
  counts,
  brief,
  changes: (before, after) => ({ boxes: changesOf(before, after) }),
  say,
  onPicture,
  fromFolder,
  toFolder,
  fromMetadata,
  sidecars: true,
  filter: () => undefined,
  folder: () => 'images',
  fieldsOf: () => ({}),
  untrainable,
  manifestLine,
  trainers: builtInTrainers,
  fit: 'letterbox',
  inputSize: () => inputSize,
  ends: (classes, input) => detectorEnds(classes.length, input),
  metadata,
  decode,
  noAnswer,
  uncertainty,
  assess,
  assessment: assessed,
  evaluate,
  keptAnswer,
  sayKeptAnswer,
  departs,
  examples,
  views: {
    prediction: toPredictionView,
    drawing: toDrawing,
    metrics: toMetricsView,
    metricsSummary: toMetricsSummary,
    verdict: toVerdictView,
    verdictSummary: toVerdictSummary,
  },
};
