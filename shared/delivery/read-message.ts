/** Reading the body of a queue's message. */
import type * as z from 'zod';
import type { QueueName } from '../resources.ts';
import { queueMessages } from './message.ts';

/**
 * Reads the body of a queue's message; `invalid` says what is wrong with it, and what to do, `reason` whether this is a
 * message at all or one that only a newer release knows.
 */
export function readMessage<Q extends QueueName>(
  queue: Q,
  body: unknown,
): { message: z.infer<(typeof queueMessages)[Q]> } | { invalid: string; reason: 'invalid-message' | 'newer-message' } {
  const parsed = queueMessages[queue].safeParse(body);
  if (parsed.success) return { message: parsed.data as z.infer<(typeof queueMessages)[Q]> };
  const issue = parsed.error.issues[0];
  return {
    reason: issue?.path[0] === 'dataversion' ? 'newer-message' : 'invalid-message',
    invalid: `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not understood'}. Nothing was changed; mend the sender, then send the message again.`,
  };
}
