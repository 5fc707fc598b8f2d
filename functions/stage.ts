/** What every queue function has in common: validate, trace, handle, record; poison is recorded and completed. */
import type { InvocationContext } from '@azure/functions';
import type * as z from 'zod';
import { TerminalError } from '../shared/errors.ts';
import { queueMessages } from '../shared/message.ts';
import type { Ports, StageRecord } from '../shared/ports.ts';
import type { QueueName } from '../shared/resources.ts';
import { recordDeadLetter } from './dead-letters.ts';

type Handled = { outcome: string; project?: string | undefined } & Record<string, string | undefined>;

/** Wraps the handler of a queue's messages for the Functions runtime. */
export function onMessage<Q extends QueueName>(
  ports: Ports,
  queue: Q,
  stage: StageRecord['stage'],
  handle: (message: z.infer<(typeof queueMessages)[Q]>) => Promise<Handled>,
): (body: unknown, context: InvocationContext) => Promise<void> {
  return async (body, context) => {
    const startedAt = ports.clock.now().getTime();
    const parsed = queueMessages[queue].safeParse(body);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const detail = `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not understood'}. Nothing was changed; mend the sender, then send the message again.`;
      await recordDeadLetter(ports, queue, { body, reason: 'invalid-message', detail });
      return;
    }
    const message = parsed.data as z.infer<(typeof queueMessages)[Q]>;
    try {
      const { outcome, project, ...ids } = await handle(message);
      const named = Object.entries({ ...ids, message: message.id, invocation: context.invocationId });
      ports.telemetry.stage({
        stage,
        project: project ?? projectIn(message),
        outcome,
        durationMs: ports.clock.now().getTime() - startedAt,
        ids: Object.fromEntries(named.filter((e): e is [string, string] => e[1] !== undefined)),
      });
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      await recordDeadLetter(ports, queue, { body, reason: error.code, detail: error.message });
    }
  };
}

const projectIn = (message: { data: object }): string =>
  'project' in message.data ? String(message.data.project) : '';
