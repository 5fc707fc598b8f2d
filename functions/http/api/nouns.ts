/** The routes of the API by what they are about, which is also their tag in its description. */
import type { Route } from '../route.ts';
import { batchRoutes } from './batches.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { endpointRoutes } from './endpoint.ts';
import { exportRoutes } from './export.ts';
import { keyRoutes } from './keys.ts';
import { modelRoutes } from './models.ts';
import { operationRoutes } from './operations.ts';
import { projectRoutes } from './projects.ts';
import { repairRoutes } from './repair.ts';
import { sampleRoutes } from './samples.ts';
import { trainingRoutes } from './trainings.ts';
import { uploadRoutes } from './uploads.ts';
import { versionRoutes } from './versions.ts';

/** By noun; the order is that of the description. */
export const nouns: Record<string, { about: string; routes: Route[] }> = {
  projects: { about: 'One image task each: its settings, and how much there is of everything', routes: projectRoutes },
  uploads: { about: 'Addresses for files, and what became of each', routes: uploadRoutes },
  samples: { about: 'Accepted images and their labels', routes: sampleRoutes },
  versions: { about: 'Immutable snapshots of all labelled samples', routes: [...versionRoutes, ...exportRoutes] },
  trainings: { about: 'Attempts to make a model of a version', routes: trainingRoutes },
  models: { about: 'The registry: metrics, verdict, approval, lineage', routes: modelRoutes },
  endpoint: { about: 'What is live, scoring, rolling back', routes: endpointRoutes },
  batches: { about: 'Many pictures scored with one model, and where the results are', routes: batchRoutes },
  operations: { about: 'Activity and health', routes: operationRoutes },
  'dead-letters': { about: 'Messages that nobody could handle', routes: deadLetterRoutes },
  repair: { about: 'What is stuck or damaged, and mending it', routes: repairRoutes },
  keys: { about: 'Who may call this API', routes: keyRoutes },
};
