/** A model version and what is behind it, as the API shows them. */
import * as z from 'zod';
import type { EndpointDocument } from '../../endpoint/document.ts';
import type { ModelDocument } from '../../model/document.ts';
import type { Lineage } from '../../model/trace-lineage.ts';
import { entryView, toEntryView, toVersionSummary, versionSummaryView } from './dataset.ts';
import {
  originView,
  toTrainingSummary,
  toVerdictSummary,
  toVerdictView,
  trainingSummaryView,
  verdict,
  verdictSummary,
} from './training.ts';
import { image, time } from './page.ts';
import { taskOf } from '../../task/task.ts';
import * as ofKinds from '../../task/views.ts';

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
  metrics: ofKinds.metricsView,
  verdict,
  lineage: z.object({
    trainer: z.string(),
    parameters: z.record(z.string(), z.unknown()),
    seed: z.number(),
    code: z.string().nullable(),
    /** null: a training here made it */
    origin: originView.nullable(),
  }),
  decidedBy: z.string().nullable(),
  createdAt: time,
});

/** What is answered to who brought a model. */
export const receivedView = z.object({
  /** the training that begins at the evaluation of the model, and tells how it goes */
  id: z.string(),
  /** sha-256 of the bytes that arrived */
  digest: z.string(),
  sizeBytes: z.number(),
  /** whose test samples it is judged on */
  datasetVersion: z.object({ id: z.string(), number: z.number() }),
});

function toSmallView(m: ModelDocument, endpoint: EndpointDocument | undefined) {
  const aliases = [
    ...(endpoint?.production?.model === m.number ? ['champion'] : []),
    ...(endpoint?.canary?.model === m.number ? ['challenger'] : []),
  ];
  const { number: version, state, digest, sizeBytes, image: size, run, decidedBy, createdAt } = m;
  return {
    ...{ version, state, aliases, digest, sizeBytes, image: size, run, datasetVersion: m.version },
    ...{ decidedBy, createdAt },
  };
}

const toOriginated = ({ lineage }: ModelDocument) => ({ ...lineage, origin: lineage.origin ?? null });

/** A model as the API shows it; `endpoint` says whether it is live. */
export const toModelView = (m: ModelDocument, endpoint: EndpointDocument | undefined): z.infer<typeof modelView> => ({
  ...toSmallView(m, endpoint),
  classes: m.classes,
  metrics: taskOf(m).views.metrics(m.metrics, m.classes) as z.infer<typeof ofKinds.metricsView>,
  verdict: toVerdictView(m.task, m.verdict),
  lineage: toOriginated(m),
});

/** A model version in a list: without what grows with its classes and parameters. */
export const modelSummaryView = modelView.omit({ classes: true }).extend({
  classCount: z.number(),
  metrics: ofKinds.metricsSummary,
  verdict: verdictSummary,
  lineage: modelView.shape.lineage.omit({ parameters: true }),
});

/** A model as lists show it. */
export const toModelSummary = (
  m: ModelDocument,
  endpoint: EndpointDocument | undefined,
): z.infer<typeof modelSummaryView> => {
  const { trainer, seed, code, origin = null } = m.lineage;
  return {
    ...toSmallView(m, endpoint),
    classCount: m.classes.length,
    metrics: taskOf(m).views.metricsSummary(m.metrics) as z.infer<typeof ofKinds.metricsSummary>,
    verdict: toVerdictSummary(m.task, m.verdict),
    lineage: { trainer, seed, code, origin },
  };
};

/** What is behind a prediction of a model: each has a route of its own that tells all of it. */
export const lineageView = z.object({
  model: modelSummaryView.extend({ lineage: modelView.shape.lineage }),
  training: trainingSummaryView.nullable(),
  datasetVersion: versionSummaryView,
  /** the scans behind it, first page; `samplesLink` leads to all */
  samples: z.array(entryView),
  samplesLink: z.string(),
});

/** What is behind a model; `base` is what links begin with. */
export const toLineageView = (
  { model, kind, endpoint, run, version, samples }: Lineage,
  base: string,
): z.infer<typeof lineageView> => ({
  model: { ...toModelSummary(model, endpoint), lineage: toOriginated(model) },
  training: run === undefined ? null : toTrainingSummary(run),
  datasetVersion: toVersionSummary(version),
  samples: samples.map(({ key, record }) => toEntryView(key, record, kind)),
  samplesLink: `${base}/projects/${model.pk}/versions/${version.version}/samples`,
});
