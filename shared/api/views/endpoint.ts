/** The endpoint, scores and predictions as the API shows them. */
import * as z from 'zod';
import { rollbackTarget } from '../../endpoint/rollback-target.ts';
import type { EndpointDocument } from '../../endpoint/document.ts';
import type { PredictionDocument } from '../../prediction/document.ts';
import type { ScoreAnswer } from '../../prediction/score.ts';
import { taskOf } from '../../task/task.ts';
import * as ofKinds from '../../task/views.ts';
import { lineageView } from './model.ts';
import { time } from './page.ts';

const target = z.object({ model: z.number(), digest: z.string(), deployment: z.string() });

export const endpointView = z.object({
  production: target.nullable(),
  /** where a rollback leads; null: nowhere */
  previous: target.nullable(),
  canary: target
    .extend({ percent: z.number(), minRequests: z.number(), maxErrorRate: z.number(), startedAt: time, endsAt: time })
    .nullable(),
  history: z.array(target.extend({ state: z.string(), reason: z.string(), by: z.string(), at: time })),
  revision: z.number(),
});

/** An endpoint as the API shows it. */
export const toEndpointView = (endpoint: EndpointDocument): z.infer<typeof endpointView> => {
  const { production, canary, history, revision } = endpoint;
  return { production, previous: rollbackTarget(endpoint), canary, history, revision };
};

export const scoreView = ofKinds.scoreWith({
  predictionId: z.string(),
  model: z.object({ version: z.number(), digest: z.string() }),
  datasetVersion: z.object({ id: z.string(), number: z.number() }),
  durationMs: z.number(),
});

/** A score in the words of its model's kind. */
export const toScoreView = (scored: ScoreAnswer): z.infer<typeof scoreView> => {
  const { task, prediction, drawn: _, ...answer } = scored;
  return { ...taskOf({ task }).views.prediction(prediction), ...answer } as z.infer<typeof scoreView>;
};

export const predictionView = ofKinds.predictionWith({
  id: z.string(),
  model: z.object({ number: z.number(), digest: z.string() }),
  datasetVersion: z.object({ id: z.string(), number: z.number() }),
  deployment: z.string(),
  role: z.enum(['production', 'canary', 'pinned']),
  sha256: z.string(),
  /** bytes behind the picture's end, which were not looked at */
  trailingBytes: z.number(),
  /** the declared content type, where it contradicts the bytes, which are believed */
  declaredType: z.string().nullable(),
  error: z.string().nullable(),
  durationMs: z.number(),
  at: time,
  lineage: lineageView,
});

/** A prediction as the API shows it, with what is behind it. */
export const toPredictionView = (
  p: PredictionDocument,
  lineage: z.infer<typeof lineageView>,
): z.infer<typeof predictionView> => {
  const { id, model, deployment, role, sha256, error, durationMs, at } = p;
  const view = {
    id,
    ...taskOf(p).views.prediction(p.prediction),
    model,
    datasetVersion: p.version,
    deployment,
    role,
    sha256,
    trailingBytes: p.trailingBytes ?? 0,
    declaredType: p.declaredType ?? null,
    error,
    durationMs,
    at,
    lineage,
  };
  return view as z.infer<typeof predictionView>;
};
