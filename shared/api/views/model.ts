/** A model version and what is behind it, as the API shows them. */
import * as z from 'zod';
import type { EndpointDocument, ModelDocument } from '../../documents.ts';
import { recallOf, supportOf } from '../../evaluation/measure.ts';
import { entryView, versionView } from './dataset.ts';
import { toVerdictView, trainingView, verdict } from './training.ts';
import { counts, image, time } from './page.ts';

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
    /** null where there is no test sample, as is the recall of a class without one */
    accuracy: z.number().nullable(),
    samples: z.number(),
    recall: z.record(z.string(), z.number().nullable()),
    /** test samples of each class */
    support: counts,
    confusion: z.array(z.array(z.number())),
  }),
  verdict,
  lineage: z.object({
    trainer: z.string(),
    parameters: z.record(z.string(), z.unknown()),
    seed: z.number(),
    code: z.string().nullable(),
  }),
  decidedBy: z.string().nullable(),
  createdAt: time,
});

/** As the confusion matrix says: earlier releases kept a recall of 0 for classes without a test sample. */
function toMetricsView({ metrics, classes }: ModelDocument): z.infer<typeof modelView>['metrics'] {
  const { accuracy, samples, confusion } = metrics;
  const recall = recallOf(metrics);
  const support = supportOf(metrics);
  return {
    accuracy: samples === 0 ? null : accuracy,
    samples,
    recall: Object.fromEntries(classes.map((name, i) => [name, recall[i] ?? null])),
    support: Object.fromEntries(classes.map((name, i) => [name, support[i] ?? 0])),
    confusion,
  };
}

export const toModelView = (m: ModelDocument, endpoint: EndpointDocument | undefined): z.infer<typeof modelView> => {
  const aliases = [
    ...(endpoint?.production?.model === m.number ? ['champion'] : []),
    ...(endpoint?.canary?.model === m.number ? ['challenger'] : []),
  ];
  const { state, digest, sizeBytes, classes, run, lineage, decidedBy, createdAt } = m;
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
    ...{ metrics: toMetricsView(m), verdict: toVerdictView(m.verdict), lineage, decidedBy, createdAt },
  };
};

export const lineageView = z.object({
  model: modelView,
  training: trainingView.nullable(),
  datasetVersion: versionView,
  /** the scans behind it, first page; `samplesLink` leads to all */
  samples: z.array(entryView),
  samplesLink: z.string(),
});
