/** Dead letters that wait: listing them, and sending them again. */
import type { DeadLetterDocument } from './document.ts';
import { listAll } from '../list-all.ts';
import { type Message, queueMessages } from './message.ts';
import type { Ports, Stored } from '../ports.ts';
import type { QueueName } from '../resources.ts';

/** as many as one listing goes through */
const maxWaiting = 10_000;
const maxReplay = 1000;
/** refused letters that an answer lists */
export const maxRefused = 100;
/** reason of a message that a service kept waiting for too long: nothing is wrong with it, and the sweep sends it again */
export const outage = 'outage';

type Letters = Iterable<Stored<DeadLetterDocument>> | AsyncIterable<Stored<DeadLetterDocument>>;

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

export interface Replayed {
  replayed: number;
  /** letters that nobody would understand; the first 100 of them are in `refused` */
  refusedCount: number;
  refused: { id: string; why: string }[];
  /** letters are left that were not reached */
  more: boolean;
}

/** Sends letters of a queue again, at most 1,000; a message that nobody would understand is refused with the reason. */
export async function replayLetters(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  queue: QueueName,
  letters: Letters,
): Promise<Replayed> {
  const refused: { id: string; why: string }[] = [];
  let [replayed, refusedCount] = [0, 0];
  let seen = 0;
  for await (const { document, etag } of letters) {
    seen++;
    const message = replayable(queue, document.body, document.truncated);
    if (typeof message === 'string') {
      if (++refusedCount <= maxRefused) refused.push({ id: document.id, why: message });
      continue;
    }
    if (replayed === maxReplay) return { replayed, refusedCount, refused, more: true };
    await ports.messages.send(queue, [message]);
    const replayedAt = ports.clock.now().toISOString();
    // 'changed' is fine: it got stuck again in this moment, and waits for the next replay
    await ports.documents.replace('dead-letters', { ...document, status: 'replayed', replayedAt }, etag);
    replayed++;
  }
  return { replayed, refusedCount, refused, more: seen === maxWaiting };
}

function replayable(queue: QueueName, body: string, truncated: boolean): Message | string {
  if (truncated) return 'its body was too large to keep whole';
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return 'its body is not JSON; it can never be handled';
  }
  const parsed = queueMessages[queue].safeParse(json);
  return parsed.success
    ? parsed.data
    : `its body is no message of this queue: ${parsed.error.issues[0]?.message ?? ''}`;
}

/**
 * Sends what an outage made dead letters of again, at most 1,000 of each queue. Should the outage last, it waits for
 * another day, and is a dead letter again.
 */
export async function replayOutages(ports: Pick<Ports, 'clock' | 'documents' | 'messages'>): Promise<number> {
  const queues = new Map<QueueName, Stored<DeadLetterDocument>[]>();
  for await (const letter of waitingLetters(ports)) {
    const { reason, queue } = letter.document;
    if (reason === outage) queues.set(queue, [...(queues.get(queue) ?? []), letter]);
  }
  let sent = 0;
  for (const [queue, letters] of queues) sent += (await replayLetters(ports, queue, letters)).replayed;
  return sent;
}
