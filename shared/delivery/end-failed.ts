/** How a delivery ends whose handler failed: given up as a dead letter, put off, or left to the broker. */
import { documentStore, RetryLater, TerminalError } from '../errors.ts';
import type { Message } from './message.ts';
import type { Ports } from '../ports.ts';
import { mayPutOff, planRedelivery } from './plan-redelivery.ts';
import { queues, type QueueName } from '../resources.ts';
import { outage } from './replay-dead-letters.ts';
import { noteWaiting } from './note-waiting.ts';
import { recordDeadLetter } from './record-dead-letter.ts';

type FailurePorts = Pick<Ports, 'backoff' | 'clock' | 'documents' | 'messages'>;

interface Failed {
  /** as it came */
  body: unknown;
  /** as it was read */
  message: Message;
  /** which delivery of this message by the broker it was, counted from 1 */
  deliveryCount: number;
  error: unknown;
}

type Ending = { outcome: 'dead-lettered' | 'retry-later' | 'retried'; reason: string } & Record<string, string>;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message.slice(0, 300) : 'unknown');

/**
 * Ends a delivery that failed with `error`. `dead-lettered` and `retry-later`: the message is taken care of and the
 * delivery is complete. `retried`: nothing was done, and the broker has to deliver the message again. Never rejects.
 */
export async function endFailed(ports: FailurePorts, queue: QueueName, failed: Failed): Promise<Ending> {
  const { body, message, deliveryCount, error } = failed;
  try {
    if (error instanceof TerminalError) {
      await recordDeadLetter(ports, queue, { body, reason: error.code, detail: error.message });
      return { outcome: 'dead-lettered', reason: reasonOf(error) };
    }
    const { maxDeliveryCount } = queues[queue];
    if (error instanceof RetryLater && mayPutOff(deliveryCount, maxDeliveryCount))
      return await putOff(ports, queue, { body, message }, error);
  } catch (further) {
    // the dead letter could not be recorded: that is an outage like any other
    if (further instanceof RetryLater && error instanceof TerminalError)
      return endFailed(ports, queue, { ...failed, error: further });
  }
  return { outcome: 'retried', reason: reasonOf(error) };
}

async function putOff(
  ports: FailurePorts,
  queue: QueueName,
  { body, message }: Pick<Failed, 'body' | 'message'>,
  error: RetryLater,
): Promise<Ending> {
  const { carried, notBefore, overdue } = planRedelivery(message, error, ports.clock.now(), ports.backoff);
  const waited = { reason: reasonOf(error), attempt: String(carried.attempt - 1), since: carried.firstseen };
  if (overdue) {
    const reason = carried.outage ? outage : (error.code ?? 'not-ready');
    const detail = `It was tried again and again since ${waited.since}, ${waited.attempt} times for the last reason: ${error.message}`;
    const recorded = await recordDeadLetter(ports, queue, { body, reason, detail }).catch(orLater);
    if (recorded !== 'later') return { outcome: 'dead-lettered', ...waited };
  }
  // as it came, with what its sender added: it stays the same dead letter, should it become one
  await ports.messages.send(queue, [{ ...(body as Message), ...carried }], notBefore);
  const next = notBefore.toISOString();
  // for people only: a service that fails here as well, or a death before it, costs a sentence
  if (carried.outage && error.service !== documentStore)
    await noteWaiting(ports, queue, message, { detail: waited.reason, nextAt: next }).catch(() => undefined);
  return { outcome: 'retry-later', ...waited, next };
}

/** What cannot be recorded now is not given up. */
function orLater(error: unknown): 'later' {
  if (error instanceof RetryLater) return 'later';
  throw error;
}
