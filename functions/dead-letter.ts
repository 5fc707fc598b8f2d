/** The dead-letter queue of each queue: a message is one that was given up. */
import type { InvocationContext } from '@azure/functions';
import { readMessage } from '../shared/delivery/read-message.ts';
import { recordDeadLetter } from '../shared/delivery/record-dead-letter.ts';
import type { Ports } from '../shared/ports.ts';
import type { QueueName } from '../shared/resources.ts';
import { connection, type QueueFunction } from './consume.ts';

/** Records dead letters, so that the broker keeps none. */
export const deadLetterFunction = (ports: Ports, queue: QueueName): QueueFunction => ({
  connection,
  queueName: `${queue}/$deadletterqueue`,
  handler: async (body, context) => {
    const startedAt = ports.clock.now().getTime();
    const read = readMessage(queue, body);
    const why = 'invalid' in read ? { reason: read.reason, detail: read.invalid } : whyGivenUp(context);
    const { project, outcome } = await recordDeadLetter(ports, queue, { body, ...why });
    const durationMs = ports.clock.now().getTime() - startedAt;
    ports.telemetry.stage({ stage: 'dead-letter', project: project ?? '', outcome, durationMs, ids: { queue } });
  },
});

/** Service Bus tells the reason in properties of the message, whose names the worker begins in lower case. */
function whyGivenUp({ triggerMetadata }: InvocationContext): { reason: string; detail: string } {
  const properties = triggerMetadata?.['applicationProperties'];
  const told = (typeof properties === 'object' ? properties : null) as Record<string, unknown> | null;
  const text = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);
  return {
    reason: text(told?.['deadLetterReason'], 'unknown'),
    detail: text(told?.['deadLetterErrorDescription'], 'The message was delivered too often without success.'),
  };
}
