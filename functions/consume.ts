/** Consuming a queue: read the message, trace, handle, record; what fails is given up, put off or thrown. */
import type { InvocationContext, ServiceBusQueueFunctionOptions } from '@azure/functions';
import type * as z from 'zod';
import type { Message, queueMessages } from '../shared/delivery/message.ts';
import { readMessage } from '../shared/delivery/read-message.ts';
import { RetryLater, TerminalError } from '../shared/errors.ts';
import type { Ports, StageRecord } from '../shared/ports.ts';
import { asFirstSent } from '../shared/delivery/plan-redelivery.ts';
import type { QueueName } from '../shared/resources.ts';
import { recordDeadLetter } from '../shared/delivery/record-dead-letter.ts';
import { endFailed } from '../shared/delivery/end-failed.ts';

/** A function that a queue triggers. */
export interface QueueFunction extends ServiceBusQueueFunctionOptions {
  handler: (body: unknown, context: InvocationContext) => Promise<void>;
}

/** Setting that says where the queues are. */
export const connection = 'SERVICEBUS';

type Handled = { outcome: string; project?: string | undefined } & Record<string, string | undefined>;
type MessageOf<Q extends QueueName> = z.infer<(typeof queueMessages)[Q]>;

/**
 * The function that handles the messages of a queue. Each delivery is one span; the handler's message carries that span's
 * traceparent on. `traceOf` finds the trace of messages that name none.
 */
export function consume<Q extends QueueName>(
  ports: Ports,
  queue: Q,
  stage: StageRecord['stage'],
  handle: (message: MessageOf<Q>) => Promise<Handled>,
  traceOf: (message: MessageOf<Q>) => Promise<string | undefined> = () => Promise.resolve(undefined),
): QueueFunction {
  const handler = async (body: unknown, context: InvocationContext): Promise<void> => {
    recordAge(ports, queue, context);
    const read = readMessage(queue, body);
    if ('invalid' in read) return refuse(ports, queue, stage, { body, ...read, context });
    const message = asFirstSent(read.message);
    // where the trace cannot be found now, the handler finds out why by itself
    const parent = message.traceparent ?? (await traceOf(message).catch(() => undefined));
    await ports.telemetry.span(stage, parent, async (traceparent) => {
      const startedAt = ports.clock.now().getTime();
      const record = (handled: Handled): void => recordEnd(ports, stage, { message, handled, startedAt, context });
      try {
        record(await handle(traceparent === undefined ? message : { ...message, traceparent }));
      } catch (error) {
        const ended = await endFailed(ports, queue, {
          ...{ body, message: read.message, deliveryCount: deliveryCount(context), error },
        });
        record(ended);
        // what is given up for good, and cannot be recorded now, is not what went wrong with this delivery
        if (ended.outcome === 'retried') throw error instanceof TerminalError ? new RetryLater(ended.reason) : error;
      }
    });
  };
  return { connection, queueName: queue, handler };
}

/** Records how a delivery ended, and what it was about. */
function recordEnd(
  { clock, telemetry }: Ports,
  stage: StageRecord['stage'],
  delivery: { message: Message; handled: Handled; startedAt: number; context: InvocationContext },
): void {
  const { message, startedAt, context } = delivery;
  const { outcome, project, ...found } = delivery.handled;
  const durationMs = clock.now().getTime() - startedAt;
  const about = { run: named(message, 'run'), model: named(message, 'model'), ...found };
  const ids = Object.entries({ ...about, type: message.type, message: message.id, invocation: context.invocationId });
  telemetry.metric('stage-milliseconds', durationMs, { stage, outcome });
  telemetry.stage({
    ...{ stage, project: project ?? projectIn(message), outcome, durationMs },
    ids: Object.fromEntries(ids.filter((entry): entry is [string, string] => entry[1] !== undefined)),
  });
}

/** Records a message that no handler understands: a flood of them shows in the telemetry like any other stage. */
async function refuse(
  ports: Ports,
  queue: QueueName,
  stage: StageRecord['stage'],
  { body, invalid, reason, context }: { body: unknown; invalid: string; reason: string; context: InvocationContext },
): Promise<void> {
  const startedAt = ports.clock.now().getTime();
  await recordDeadLetter(ports, queue, { body, reason, detail: invalid });
  const durationMs = ports.clock.now().getTime() - startedAt;
  const outcome = 'dead-lettered';
  ports.telemetry.metric('stage-milliseconds', durationMs, { stage, outcome });
  ports.telemetry.stage({ stage, project: '', outcome, durationMs, ids: { reason, invocation: context.invocationId } });
}

/** How long the message could have been delivered before it was. The metadata may be spoofed by a body: only a metric. */
function recordAge(ports: Ports, queue: QueueName, context: InvocationContext): void {
  const at = context.triggerMetadata?.['enqueuedTimeUtc'];
  // the host writes times without a zone; they are UTC
  const enqueued = typeof at === 'string' ? Date.parse(/Z$|[+-]\d\d:\d\d$/.test(at) ? at : `${at}Z`) : Number.NaN;
  const seconds = (ports.clock.now().getTime() - enqueued) / 1000;
  if (Number.isFinite(seconds)) ports.telemetry.metric('queue-age-seconds', Math.max(0, seconds), { queue });
}

const projectIn = (message: { data: object }): string =>
  'project' in message.data ? String(message.data.project) : '';

/** Whatever is done about a run or a model names it, so that a run that nothing is done about any more can be found. */
const named = (message: { data: object }, what: 'run' | 'model'): string | undefined =>
  what in message.data ? String((message.data as Record<string, unknown>)[what]) : undefined;

/** Which delivery of this message by the broker this is. A body may overwrite it in the metadata, and then only fools itself. */
function deliveryCount({ triggerMetadata }: InvocationContext): number {
  const count = triggerMetadata?.['deliveryCount'];
  return typeof count === 'number' && Number.isInteger(count) ? count : 1;
}
