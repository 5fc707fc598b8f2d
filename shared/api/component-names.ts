/** What shapes are called in the OpenAPI document, and so by the types of a generated client. */
import * as z from 'zod';
import { projectSettings } from '../project/settings.ts';
import { problemBody } from './problem.ts';
import { batchView, batchWithResultsView } from './views/batch.ts';
import { entryView, sampleView, uploadView, versionSummaryView, versionView } from './views/dataset.ts';
import { endpointView, predictionView, scoreView } from './views/endpoint.ts';
import { keyView, madeKeyView } from './views/key.ts';
import { lineageView, modelSummaryView, modelView } from './views/model.ts';
import { deadLetterView, eventView } from './views/operations.ts';
import { image } from './views/page.ts';
import { projectStatusView, projectSummaryView, projectView } from './views/project.ts';
import { trainingSummaryView, trainingView, verdict, verdictSummary } from './views/training.ts';

const named: Record<string, z.ZodType> = {
  Batch: batchWithResultsView,
  BatchSummary: batchView,
  DeadLetter: deadLetterView,
  Endpoint: endpointView,
  Entry: entryView,
  Event: eventView,
  ImageSize: image,
  Key: keyView,
  Lineage: lineageView,
  MadeKey: madeKeyView,
  Model: modelView,
  ModelSummary: modelSummaryView,
  Prediction: predictionView,
  Problem: problemBody,
  Project: projectView,
  ProjectSettings: projectSettings,
  ProjectStatus: projectStatusView,
  ProjectSummary: projectSummaryView,
  Sample: sampleView,
  Score: scoreView,
  Training: trainingView,
  TrainingSummary: trainingSummaryView,
  Upload: uploadView,
  Verdict: verdict,
  VerdictSummary: verdictSummary,
  Version: versionView,
  VersionSummary: versionSummaryView,
};

for (const [id, type] of Object.entries(named)) z.globalRegistry.add(type, { ...type.meta(), id });
