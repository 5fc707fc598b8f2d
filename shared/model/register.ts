/** The model registry: versions numbered by compare-and-swap, an equal digest is the existing version. */
import type { ModelDocument } from './document.ts';
import { RetryLater } from '../errors.ts';
import type { Documents } from '../ports.ts';

const maxTries = 100;

/** Id of the document of a model version. */
export const modelId = (number: number): string => String(number).padStart(8, '0');

/**
 * Registers a model and returns its document. The order matters: the highest number is read before the digest is
 * looked for, so that whoever registers the same digest meanwhile is met at a number that is tried next.
 */
export async function registerModel(
  documents: Documents,
  model: Omit<ModelDocument, 'id' | 'number'>,
): Promise<ModelDocument> {
  const { pk, digest } = model;
  const newest = await documents.query('models', { pk, orderBy: { field: 'number', descending: true }, limit: 1 });
  const same = await documents.query('models', { pk, equals: { digest }, limit: 1 });
  if (same.items[0] !== undefined) return same.items[0].document;
  let number = (newest.items[0]?.document.number ?? 0) + 1;
  for (let tries = 0; tries < maxTries; tries++, number++) {
    const created = await documents.create('models', { ...model, id: modelId(number), number });
    if (created !== 'exists') return created.document;
    const taken = await documents.read('models', pk, modelId(number));
    if (taken?.document.digest === digest) return taken.document;
  }
  throw new RetryLater(`${maxTries} model numbers of ${pk} were taken while one was being registered`);
}
