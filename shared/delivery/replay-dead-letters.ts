/** Replaying dead letters: sending their messages again. */
import type { DeadLetterDocument } from './document.ts';
import { listWaitingDeadLetters, maxListed } from './list-dead-letters.ts';
import { type Message, queueMessages } from './message.ts';
import type { Ports, Stored } from '../ports.ts';
import type { QueueName } from '../resources.ts';

const maxReplay = 1000;
/** refused ones that an answer lists */
export const maxRefused = 100;
/** reason of a message that a service kept waiting for too long: nothing is wrong with it, and the sweep sends it again */
export const outage = 'outage';

type DeadLetters = Iterable<Stored<DeadLetterDocument>> | AsyncIterable<Stored<DeadLetterDocument>>;

export interface Replayed {
  replayed: number;
  /** those that nobody would understand; the first 100 of them are in `refused` */
  refusedCount: number;
  refused: { id: string; why: string }[];
  /** some are left that were not reached */
  more: boolean;
}

/** Sends dead letters of a queue again, at most 1,000; a message that nobody would understand is refused with the reason. */
export async function replayDeadLetters(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  queue: QueueName,
  deadLetters: DeadLetters,
): Promise<Replayed> {
  const refused: { id: string; why: string }[] = [];
  let [replayed, refusedCount] = [0, 0];
  let seen = 0;
  for await (const { document, etag } of deadLetters) {
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
  return { replayed, refusedCount, refused, more: seen === maxListed };
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
  for await (const deadLetter of listWaitingDeadLetters(ports)) {
    const { reason, queue } = deadLetter.document;
    if (reason === outage) queues.set(queue, [...(queues.get(queue) ?? []), deadLetter]);
  }
  let sent = 0;
  for (const [queue, deadLetters] of queues) sent += (await replayDeadLetters(ports, queue, deadLetters)).replayed;
  return sent;
}
