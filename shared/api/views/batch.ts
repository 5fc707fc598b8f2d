/** A batch as the API shows it. */
import * as z from 'zod';
import type { BatchDocument } from '../../batch/document.ts';
import { split, time } from './page.ts';

export const batchView = z.object({
  id: z.string(),
  state: z.enum(['scoring', 'succeeded', 'failed', 'cancelled']),
  /** what is scored: uploads whose names begin so below the project's folder, or a dataset version */
  of: z.union([
    z.object({ uploads: z.object({ prefix: z.string() }) }),
    z.object({ version: z.object({ id: z.string(), number: z.number() }), split: split.nullable() }),
  ]),
  model: z.object({ version: z.number(), digest: z.string() }),
  /** pictures that there are; null where nobody has counted them */
  total: z.number().nullable(),
  scored: z.number(),
  /** pictures that could not be read, or that the model had no answer for: their lines say why */
  failed: z.number(),
  failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
  requestedBy: z.string(),
  createdAt: time,
  endedAt: time.nullable(),
});

/** A batch in a list. */
export const toBatchView = (batch: BatchDocument): z.infer<typeof batchView> => {
  const { id, state, of, model, total, scored, failed, failure, requestedBy, createdAt, endedAt } = batch;
  const shown = of.kind === 'uploads' ? { uploads: { prefix: of.prefix } } : { version: of.version, split: of.split };
  return {
    ...{ id, state, of: shown, model: { version: model.number, digest: model.digest } },
    ...{ total, scored, failed, failure, requestedBy, createdAt, endedAt },
  };
};

/** A batch by itself, with where its results are. */
export const batchWithResultsView = batchView.extend({
  /** addresses that may be read until they expire; null until it has succeeded */
  results: z
    .object({
      jsonLines: z.string(),
      /** null where what such models answer is no table */
      csv: z.string().nullable(),
      expiresAt: time,
    })
    .nullable(),
});
