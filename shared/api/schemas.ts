/** Shapes of the HTTP API's answers, and how documents become them. */
import * as z from 'zod';
import type {
  DeadLetterDocument,
  EndpointDocument,
  EventDocument,
  HeadDocument,
  ModelDocument,
  PredictionDocument,
  ProjectDocument,
  RunDocument,
  SampleDocument,
  UploadDocument,
  VersionSummary,
} from '../documents.ts';
import { projectSettings } from '../project.ts';

const time = z.string();
const counts = z.record(z.string(), z.number());
const split = z.enum(['train', 'validation', 'test']);
const image = z.object({ width: z.number(), height: z.number(), channels: z.number() });

export const page = <T extends z.ZodType>(item: T) =>
  z.object({ value: z.array(item), nextLink: z.string().optional() });

export const versionView = z.object({
  id: z.string(),
  number: z.number(),
  root: z.string(),
  parent: z.string().nullable(),
  samples: z.number(),
  byClass: counts,
  bySplit: counts,
  changes: z.object({ added: z.number(), removed: z.number(), relabelled: z.number() }),
  bytesWritten: z.number(),
  nodesWritten: z.number(),
  createdAt: time,
});
export const toVersionView = ({
  version,
  number,
  root,
  parent,
  samples,
  byClass,
  bySplit,
  changes,
  bytesWritten,
  nodesWritten,
  createdAt,
}: VersionSummary): z.infer<typeof versionView> => ({
  ...{ id: version, number, root, parent, samples, byClass, bySplit, changes, bytesWritten, nodesWritten, createdAt },
});

export const projectView = z.object({
  name: z.string(),
  settings: projectSettings,
  head: versionView.nullable(),
  createdAt: time,
  updatedAt: time,
});
export const toProjectView = (
  project: ProjectDocument,
  head: HeadDocument | undefined,
): z.infer<typeof projectView> => ({
  name: project.id,
  settings: project.settings,
  head: head?.head ? toVersionView(head.head) : null,
  createdAt: project.createdAt,
  updatedAt: project.updatedAt,
});

export const uploadView = z.object({
  id: z.string(),
  blob: z.string(),
  etag: z.string(),
  outcome: z.enum(['received', 'accepted', 'duplicate', 'conflict', 'unlabelled', 'quarantined', 'superseded']),
  reason: z.object({ code: z.string(), detail: z.string() }).nullable(),
  sample: z.string().nullable(),
  label: z.string().nullable(),
  receivedAt: time,
  finishedAt: time.nullable(),
  /** first version that holds the sample; only when one upload is asked for */
  firstVersion: z.number().nullable().optional(),
});
export const toUploadView = ({
  id,
  blob,
  etag,
  status,
  reason,
  sample,
  label,
  receivedAt,
  finishedAt,
}: UploadDocument): z.infer<typeof uploadView> => ({
  ...{ id, blob, etag, outcome: status, reason, sample, label, receivedAt, finishedAt },
});

export const sampleView = z.object({
  id: z.string(),
  sha256: z.string(),
  sizeBytes: z.number(),
  mediaType: z.string(),
  width: z.number(),
  height: z.number(),
  channels: z.number(),
  label: z.string().nullable(),
  labelSource: z.enum(['path', 'metadata', 'fuzzy', 'review']).nullable(),
  split,
  origin: z.string(),
  conflicts: z.array(z.object({ upload: z.string(), label: z.string() })),
  firstVersion: z.number().nullable(),
  createdAt: time,
});
export const toSampleView = (s: SampleDocument): z.infer<typeof sampleView> => {
  const { id, sha256, sizeBytes, mediaType, width, height, channels, label, labelSource } = s;
  const { origin, conflicts, firstVersion, createdAt } = s;
  return {
    id,
    sha256,
    sizeBytes,
    mediaType,
    width,
    height,
    channels,
    label,
    labelSource,
    split: s.split,
    origin,
    conflicts,
    firstVersion,
    createdAt,
  };
};

export const entryView = z.object({
  key: z.string(),
  md5: z.string(),
  label: z.string(),
  split,
  mediaType: z.string(),
  sizeBytes: z.number(),
});

export const trainingView = z.object({
  id: z.string(),
  state: z.enum(['queued', 'submitted', 'running', 'evaluating', 'registered', 'rejected', 'failed', 'cancelled']),
  attempt: z.number(),
  version: z.object({ id: z.string(), number: z.number() }),
  trainer: z.object({ name: z.string(), parameters: z.record(z.string(), z.unknown()), timeoutSeconds: z.number() }),
  seed: z.number(),
  classes: z.array(z.string()),
  image,
  requestedBy: z.string(),
  reason: z.string(),
  progress: z.object({ phase: z.string(), done: z.number(), total: z.number() }).nullable(),
  metrics: z.array(z.object({ key: z.string(), value: z.number(), step: z.number() })),
  failure: z.object({ code: z.string(), detail: z.string(), retryable: z.boolean() }).nullable(),
  attempts: z.array(
    z.object({ attempt: z.number(), execution: z.string().nullable(), failure: z.string().nullable(), endedAt: time }),
  ),
  model: z.number().nullable(),
  cancelRequested: z.boolean(),
  createdAt: time,
  submittedAt: time.nullable(),
  startedAt: time.nullable(),
  trainedAt: time.nullable(),
  endedAt: time.nullable(),
});
export const toTrainingView = (run: RunDocument): z.infer<typeof trainingView> => {
  const {
    id,
    state,
    attempt,
    version,
    trainer,
    seed,
    classes,
    requestedBy,
    reason,
    progress,
    metrics,
    failure,
    model,
  } = run;
  const { cancelRequested, createdAt, submittedAt, startedAt, trainedAt, endedAt } = run;
  const attempts = run.attempts.map((a) => ({
    attempt: a.attempt,
    execution: a.execution,
    failure: a.failure,
    endedAt: a.endedAt,
  }));
  return {
    ...{
      id,
      state,
      attempt,
      version,
      trainer,
      seed,
      classes,
      image: run.image,
      requestedBy,
      reason,
      progress,
      metrics,
    },
    ...{ failure, attempts, model, cancelRequested, createdAt, submittedAt, startedAt, trainedAt, endedAt },
  };
};

export const modelView = z.object({
  version: z.number(),
  state: z.enum(['candidate', 'approved', 'rejected']),
  aliases: z.array(z.string()),
  digest: z.string(),
  sizeBytes: z.number(),
  classes: z.array(z.string()),
  image,
  run: z.string(),
  datasetVersion: z.object({ id: z.string(), number: z.number() }),
  metrics: z.object({
    accuracy: z.number(),
    samples: z.number(),
    recall: counts,
    confusion: z.array(z.array(z.number())),
  }),
  verdict: z.object({
    decision: z.enum(['approved', 'rejected']),
    reasons: z.array(z.string()),
    samples: z.number(),
    accuracy: z.number(),
    interval: z.object({ low: z.number(), high: z.number() }),
    champion: z
      .object({
        model: z.number(),
        accuracy: z.number(),
        onlyChampionRight: z.number(),
        onlyCandidateRight: z.number(),
        pValue: z.number(),
      })
      .nullable(),
  }),
  lineage: z.object({
    trainer: z.string(),
    parameters: z.record(z.string(), z.unknown()),
    seed: z.number(),
    code: z.string().nullable(),
  }),
  decidedBy: z.string().nullable(),
  createdAt: time,
});
export const toModelView = (m: ModelDocument, endpoint: EndpointDocument | undefined): z.infer<typeof modelView> => {
  const aliases = [
    ...(endpoint?.production?.model === m.number ? ['champion'] : []),
    ...(endpoint?.canary?.model === m.number ? ['challenger'] : []),
  ];
  const { state, digest, sizeBytes, classes, run, metrics, verdict, lineage, decidedBy, createdAt } = m;
  return {
    ...{
      version: m.number,
      state,
      aliases,
      digest,
      sizeBytes,
      classes,
      image: m.image,
      run,
      datasetVersion: m.version,
    },
    ...{ metrics, verdict, lineage, decidedBy, createdAt },
  };
};

const target = z.object({ model: z.number(), digest: z.string(), deployment: z.string() });
export const endpointView = z.object({
  production: target.nullable(),
  previous: target.nullable(),
  canary: target
    .extend({ percent: z.number(), minRequests: z.number(), maxErrorRate: z.number(), startedAt: time, endsAt: time })
    .nullable(),
  history: z.array(target.extend({ state: z.string(), reason: z.string(), by: z.string(), at: time })),
  revision: z.number(),
});
export const toEndpointView = ({
  production,
  previous,
  canary,
  history,
  revision,
}: EndpointDocument): z.infer<typeof endpointView> => ({
  ...{ production, previous, canary, history, revision },
});

export const scoreView = z.object({
  class: z.string(),
  probabilities: counts,
  predictionId: z.string(),
  model: z.object({ version: z.number(), digest: z.string() }),
  datasetVersion: z.object({ id: z.string(), number: z.number() }),
  durationMs: z.number(),
});

export const lineageView = z.object({
  model: modelView,
  training: trainingView.nullable(),
  datasetVersion: versionView,
  /** the scans behind it, first page; `samplesLink` leads to all */
  samples: z.array(entryView),
  samplesLink: z.string(),
});

export const predictionView = z.object({
  id: z.string(),
  class: z.string().nullable(),
  probabilities: counts,
  model: z.object({ number: z.number(), digest: z.string() }),
  datasetVersion: z.object({ id: z.string(), number: z.number() }),
  deployment: z.string(),
  role: z.enum(['production', 'canary', 'pinned']),
  sha256: z.string(),
  error: z.string().nullable(),
  durationMs: z.number(),
  at: time,
  lineage: lineageView,
});
export const toPredictionView = (
  p: PredictionDocument,
  lineage: z.infer<typeof lineageView>,
): z.infer<typeof predictionView> => {
  const { id, probabilities, model, deployment, role, sha256, error, durationMs, at } = p;
  return {
    id,
    class: p.class,
    probabilities,
    model,
    datasetVersion: p.version,
    deployment,
    role,
    sha256,
    error,
    durationMs,
    at,
    lineage,
  };
};

export const eventView = z.object({
  id: z.string(),
  type: z.string(),
  subject: z.string(),
  text: z.string(),
  at: time,
  cause: z.string().nullable(),
  by: z.string().nullable(),
});
export const toEventView = ({ id, type, subject, text, at, cause, by }: EventDocument): z.infer<typeof eventView> => ({
  id,
  type,
  subject,
  text,
  at,
  cause,
  by,
});

export const deadLetterView = z.object({
  id: z.string(),
  queue: z.string(),
  messageId: z.string(),
  reason: z.string(),
  detail: z.string(),
  project: z.string().nullable(),
  status: z.enum(['waiting', 'replayed']),
  count: z.number(),
  firstAt: time,
  lastAt: time,
  replayedAt: time.nullable(),
  body: z.string(),
});
export const toDeadLetterView = (d: DeadLetterDocument): z.infer<typeof deadLetterView> => {
  const { id, queue, messageId, reason, detail, project, status, count, firstAt, lastAt, replayedAt, body } = d;
  return { id, queue, messageId, reason, detail, project, status, count, firstAt, lastAt, replayedAt, body };
};
