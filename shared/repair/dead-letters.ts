/** Dead letters that wait for somebody to replay or dismiss them. */
import type { DeadLetterDocument } from '../documents.ts';
import { listAll } from '../listing.ts';
import type { Ports, Stored } from '../ports.ts';
import type { QueueName } from '../resources.ts';

/** as many as one listing goes through */
export const maxWaiting = 10_000;

/** Newest first, of one queue or of all; at most `maxWaiting`. Those that are refused stay and must not be in the way of the others. */
export function waitingLetters(
  { documents }: Pick<Ports, 'documents'>,
  queue?: QueueName,
): AsyncGenerator<Stored<DeadLetterDocument>> {
  const query = {
    ...(queue === undefined ? {} : { pk: queue }),
    equals: { status: 'waiting' },
    orderBy: { field: 'lastAt' as const, descending: true },
    limit: 500,
  };
  return listAll(documents, 'dead-letters', query, maxWaiting);
}
