/** A model version and what is behind it, as the API shows them. */
import * as z from 'zod';
import type { EndpointDocument, ModelDocument } from '../../documents.ts';
import { entryView, versionView } from './dataset.ts';
import { trainingView, verdict } from './training.ts';
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
    accuracy: z.number(),
    samples: z.number(),
    recall: counts,
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

export const toModelView = (m: ModelDocument, endpoint: EndpointDocument | undefined): z.infer<typeof modelView> => {
  const aliases = [
    ...(endpoint?.production?.model === m.number ? ['champion'] : []),
    ...(endpoint?.canary?.model === m.number ? ['challenger'] : []),
  ];
  const { state, digest, sizeBytes, classes, run, metrics, lineage, decidedBy, createdAt } = m;
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
    ...{ metrics, verdict: m.verdict, lineage, decidedBy, createdAt },
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
