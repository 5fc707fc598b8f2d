/** What every queue function has in common: validate, trace, handle, record; what fails is given up, put off or thrown. */
import type { InvocationContext } from '@azure/functions';
import type * as z from 'zod';
import { type queueMessages, readMessage } from '../shared/delivery/message.ts';
import { RetryLater, TerminalError } from '../shared/errors.ts';
import type { Ports, StageRecord } from '../shared/ports.ts';
import { asFirstSent } from '../shared/delivery/redelivery.ts';
import type { QueueName } from '../shared/resources.ts';
import { recordDeadLetter } from '../shared/delivery/record-dead-letter.ts';
import { endFailed } from './failed-delivery.ts';

type Handled = { outcome: string; project?: string | undefined } & Record<string, string | undefined>;
type MessageOf<Q extends QueueName> = z.infer<(typeof queueMessages)[Q]>;

/**
 * Wraps the handler of a queue's messages for the Functions runtime. Each delivery is one span; the handler's message
 * carries that span's traceparent on. `traceOf` finds the trace of messages that name none.
 */
export function onMessage<Q extends QueueName>(
  ports: Ports,
  queue: Q,
  stage: StageRecord['stage'],
  handle: (message: MessageOf<Q>) => Promise<Handled>,
  traceOf: (message: MessageOf<Q>) => Promise<string | undefined> = () => Promise.resolve(undefined),
): (body: unknown, context: InvocationContext) => Promise<void> {
  return async (body, context) => {
    recordAge(ports, queue, context);
    const read = readMessage(queue, body);
    if ('invalid' in read) return refuse(ports, queue, stage, { body, why: read.invalid, context });
    const message = asFirstSent(read.message);
    // where the trace cannot be found now, the handler finds out why by itself
    const parent = message.traceparent ?? (await traceOf(message).catch(() => undefined));
    await ports.telemetry.span(stage, parent, async (traceparent) => {
      const startedAt = ports.clock.now().getTime();
      const finish = ({ outcome, project, ...ids }: Handled): void => {
        const durationMs = ports.clock.now().getTime() - startedAt;
        const { id, type } = message;
        const told = Object.entries({
          run: named(message, 'run'),
          model: named(message, 'model'),
          ...ids,
          type,
          message: id,
          invocation: context.invocationId,
        });
        ports.telemetry.metric('stage-milliseconds', durationMs, { stage, outcome });
        ports.telemetry.stage({
          ...{ stage, project: project ?? projectIn(message), outcome, durationMs },
          ids: Object.fromEntries(told.filter((e): e is [string, string] => e[1] !== undefined)),
        });
      };
      try {
        finish(await handle(traceparent === undefined ? message : { ...message, traceparent }));
      } catch (error) {
        const ended = await endFailed(ports, queue, { body, message: read.message, context, error });
        finish(ended);
        // what is given up for good, and cannot be recorded now, is not what went wrong with this delivery
        if (ended.outcome === 'retried') throw error instanceof TerminalError ? new RetryLater(ended.reason) : error;
      }
    });
  };
}

/** Records a message that no handler understands: a flood of them shows in the telemetry like any other stage. */
async function refuse(
  ports: Ports,
  queue: QueueName,
  stage: StageRecord['stage'],
  { body, why, context }: { body: unknown; why: string; context: InvocationContext },
): Promise<void> {
  const startedAt = ports.clock.now().getTime();
  const reason = 'invalid-message';
  await recordDeadLetter(ports, queue, { body, reason, detail: why });
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
