/** Listing the dead letters that wait for a decision. */
import { listAll } from '../list-all.ts';
import type { Ports, Stored } from '../ports.ts';
import type { QueueName } from '../resources.ts';
import type { DeadLetterDocument } from './document.ts';

/** as many as one listing goes through */
export const maxListed = 10_000;

/** Newest first, of one queue or of all; at most `maxListed`. Those that are refused stay and must not be in the way of the others. */
export function listWaitingDeadLetters(
  { documents }: Pick<Ports, 'documents'>,
  queue?: QueueName,
): AsyncGenerator<Stored<DeadLetterDocument>> {
  const query = {
    ...(queue === undefined ? {} : { pk: queue }),
    equals: { status: 'waiting' },
    orderBy: { field: 'lastAt' as const, descending: true },
    limit: 500,
  };
  return listAll(documents, 'dead-letters', query, maxListed);
}
