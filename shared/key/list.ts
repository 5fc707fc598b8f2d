/** Listing API keys: their documents, since nothing keeps the keys themselves. */
import type { Documents, Stored } from '../ports.ts';
import type { KeyDocument } from './document.ts';

/** One page of keys, newest first; those of one project, or of all. */
export function listKeys(
  documents: Pick<Documents, 'query'>,
  { project, ...page }: { project?: string | undefined; limit: number; continuation?: string },
): Promise<{ items: Stored<KeyDocument>[]; continuation?: string }> {
  const equals = project === undefined || project === '*' ? {} : { project };
  return documents.query('keys', { equals, orderBy: { field: 'createdAt', descending: true }, ...page });
}
