/** Dead letters that wait for somebody to replay or dismiss them. */
import type { DeadLetterDocument } from '../documents.ts';
import type { Ports, Stored } from '../ports.ts';
import type { QueueName } from '../resources.ts';

const perPage = 500;
const maxPages = 20;
/** as many as one listing goes through */
export const maxWaiting = perPage * maxPages;

/** Newest first, of one queue or of all; at most `maxWaiting`. Those that are refused stay and must not be in the way of the others. */
export async function* waitingLetters(
  { documents }: Pick<Ports, 'documents'>,
  queue?: QueueName,
): AsyncGenerator<Stored<DeadLetterDocument>> {
  let continuation: string | undefined;
  for (let pages = 0; pages < maxPages; pages++) {
    const page = await documents.query('dead-letters', {
      ...(queue === undefined ? {} : { pk: queue }),
      equals: { status: 'waiting' },
      orderBy: { field: 'lastAt', descending: true },
      limit: perPage,
      ...(continuation === undefined ? {} : { continuation }),
    });
    yield* page.items;
    continuation = page.continuation;
    if (continuation === undefined) return;
  }
}
