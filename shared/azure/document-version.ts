/** The version of the form in which a document is stored: `v`, which nobody sees who is handed the document. */
import { RetryLater } from '../errors.ts';
import type { DocumentContainer } from '../resources.ts';

/**
 * What this release writes, and the newest that it reads. A container whose documents change their form gets the next
 * number here, and `withoutVersion` the step from the form before (docs/designs/2026-12-stored-forms.md).
 */
const written: Record<DocumentContainer, number> = {
  projects: 1,
  keys: 1,
  uploads: 1,
  samples: 1,
  pixels: 1,
  staged: 1,
  windows: 1,
  heads: 1,
  versions: 1,
  schedulers: 1,
  runs: 1,
  models: 1,
  batches: 1,
  endpoints: 1,
  predictions: 1,
  events: 1,
  'dead-letters': 1,
  requests: 1,
};

/** A document as it is stored. */
export const withVersion = <T extends object>(container: DocumentContainer, document: T): T & { v: number } => ({
  ...document,
  v: written[container],
});

/**
 * The document that is stored; one without a version has the first. Throws a RetryLater for one that a newer release
 * wrote: what cannot be read must not be written over. A message about it comes again for some
 * twenty minutes and is a dead letter then, to be replayed once that release is back.
 */
export function withoutVersion(container: DocumentContainer, { v = 1, ...document }: Record<string, unknown>): object {
  if (Number.isInteger(v) && Number(v) >= 1 && Number(v) <= written[container]) return document;
  const which = `document ${String(document['id'])} of ${container}`;
  throw new RetryLater(
    `${which} has version ${JSON.stringify(v)}, and this release reads up to ${written[container]}: a newer one wrote it. Deploy that release again.`,
    { code: 'newer-document' },
  );
}
