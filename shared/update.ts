/** Changing a document by compare-and-swap. */
import { RetryLater } from './errors.ts';
import type { DocumentTypes } from './document-types.ts';
import type { Documents, Stored } from './ports.ts';
import type { DocumentContainer } from './resources.ts';

const maxTries = 30;

/**
 * Reads, changes and replaces a document until nobody interferes (bounded). `change` gets undefined for a document
 * that does not exist and may return one to create; it returns 'keep' when there is nothing to do. Who has just read
 * the document, or expects none to be there, says so with `expected` and spares the first read; a 'keep' that is decided
 * on that returns it as it was expected.
 */
export async function update<C extends DocumentContainer>(
  documents: Documents,
  container: C,
  pk: string,
  id: string,
  change: (current: DocumentTypes[C] | undefined) => DocumentTypes[C] | 'keep',
  expected?: Stored<DocumentTypes[C]> | 'none',
): Promise<{ stored: Stored<DocumentTypes[C]> | undefined; changed: boolean }> {
  for (let tries = 0; tries < maxTries; tries++) {
    const known = tries === 0 ? expected : undefined;
    const current = known === 'none' ? undefined : (known ?? (await documents.read(container, pk, id)));
    const next = change(current?.document);
    if (next === 'keep') return { stored: current, changed: false };
    const saved =
      current === undefined
        ? await documents.create(container, next)
        : await documents.replace(container, next, current.etag);
    if (saved !== 'exists' && saved !== 'changed') return { stored: saved, changed: true };
  }
  throw new RetryLater(`${container}/${pk}/${id} changed ${maxTries} times while it was being updated`);
}
