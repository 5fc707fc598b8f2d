/** The model registry: versions numbered by compare-and-swap; equal bytes, of the same classes and input, are the existing version. */
import { isDeepStrictEqual } from 'node:util';
import { isSameSpec } from '../image/size.ts';
import type { ModelDocument } from './document.ts';
import { RetryLater } from '../errors.ts';
import type { Documents } from '../ports.ts';

const maxTries = 100;
/** the same bytes may be brought under other class names, or as one that takes in another size */
const maxOfOneDigest = 100;

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
  const isSame = (other: ModelDocument): boolean =>
    other.digest === digest && isDeepStrictEqual(other.classes, model.classes) && isSameSpec(other.image, model.image);
  const newest = await documents.query('models', { pk, orderBy: { field: 'number', descending: true }, limit: 1 });
  const equal = await documents.query('models', { pk, equals: { digest }, limit: maxOfOneDigest });
  const same = equal.items.find(({ document }) => isSame(document));
  if (same !== undefined) return same.document;
  let number = (newest.items[0]?.document.number ?? 0) + 1;
  for (let tries = 0; tries < maxTries; tries++, number++) {
    const created = await documents.create('models', { ...model, id: modelId(number), number });
    if (created !== 'exists') return created.document;
    const taken = await documents.read('models', pk, modelId(number));
    if (taken !== undefined && isSame(taken.document)) return taken.document;
  }
  throw new RetryLater(`${maxTries} model numbers of ${pk} were taken while one was being registered`);
}
