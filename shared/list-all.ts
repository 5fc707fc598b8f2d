/** Going through more documents than one page of a query holds. */
import type { DocumentTypes } from './document-types.ts';
import type { DocumentQuery, Documents, Stored } from './ports.ts';
import type { DocumentContainer } from './resources.ts';

/**
 * Documents of a query in its order, page after page as they are asked for; `limit` is the size of a page. Ends after
 * `most` documents without a word: whoever must know whether there are more asks for one more than they take.
 */
export async function* listAll<C extends DocumentContainer>(
  documents: Pick<Documents, 'query'>,
  container: C,
  query: Omit<DocumentQuery<C>, 'continuation'>,
  most: number,
): AsyncGenerator<Stored<DocumentTypes[C]>> {
  let continuation: string | undefined;
  let left = most;
  do {
    const page = await documents.query(container, {
      ...query,
      limit: Math.min(query.limit, left),
      ...(continuation === undefined ? {} : { continuation }),
    });
    yield* page.items.slice(0, left);
    left -= page.items.length;
    continuation = page.continuation;
  } while (continuation !== undefined && left > 0);
}
