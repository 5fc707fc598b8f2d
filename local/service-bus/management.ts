/** Requests on `{queue}/$management`: lock renewal, schedules and peeking. */
import { diskRefusal } from '../disk.ts';
import { encodeMessage, parseMessage } from './message.ts';
import type { Queue } from './queue.ts';
import { types } from './rhea-types.ts';

export interface Answer {
  status: number;
  body?: unknown;
  condition?: string;
  description?: string;
}

const longArray = 0x81;
const timestampArray = 0x83;
const maxPeek = 1000;

/** Of one transfer and of one request, whatever they hold: the limit of the Basic tier. */
export const maxMessageBytes = 256 * 1024;
export const tooLarge = {
  status: 413,
  condition: 'amqp:link:message-size-exceeded',
  description: 'A message, and all messages of one request together, have 256 KB at most.',
};

export const lockLost = {
  condition: 'com.microsoft:message-lock-lost',
  description:
    'The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue.',
};

/** Lock tokens travel as UUIDs in RFC order here, and as .NET GUID bytes in delivery tags. */
const tokenKey = (token: Buffer): string => {
  const [a, b, c] = [token.subarray(0, 4), token.subarray(4, 6), token.subarray(6, 8)].map((part) =>
    Buffer.from(part).reverse(),
  );
  return Buffer.concat([a ?? Buffer.alloc(4), b ?? Buffer.alloc(2), c ?? Buffer.alloc(2), token.subarray(8)]).toString(
    'hex',
  );
};

interface Body {
  'lock-tokens'?: Buffer[];
  'sequence-numbers'?: unknown[];
  messages?: { message: Buffer }[];
  'from-sequence-number'?: unknown;
  'message-count'?: number;
  'disposition-status'?: string;
  'deadletter-reason'?: string;
  'deadletter-description'?: string;
  'properties-to-modify'?: Record<string, unknown>;
}

/** Carries out one request. */
export async function manage(queue: Queue, operation: string, request: unknown): Promise<Answer> {
  const body = (request ?? {}) as Body;
  switch (operation) {
    case 'com.microsoft:renew-lock':
      return renew(queue, body['lock-tokens'] ?? []);
    case 'com.microsoft:schedule-message': {
      const messages = body.messages ?? [];
      if (messages.reduce((sum, { message }) => sum + message.length, 0) > maxMessageBytes) return tooLarge;
      const numbers = await Promise.all(messages.map(({ message }) => queue.enqueue(parseMessage(message))));
      return { status: 200, body: { 'sequence-numbers': types.wrap_array(numbers, longArray) } };
    }
    case 'com.microsoft:cancel-scheduled-message':
      return cancel(queue, body['sequence-numbers'] ?? []);
    case 'com.microsoft:peek-message': {
      const count = Math.min(body['message-count'] ?? 1, maxPeek);
      const found = queue.peek(Number(body['from-sequence-number'] ?? 0), count);
      if (found.length === 0) return { status: 204 };
      return { status: 200, body: { messages: found.map((message) => ({ message: encodeMessage(message) })) } };
    }
    case 'com.microsoft:update-disposition':
      return settle(queue, body);
    default:
      return {
        status: 501,
        condition: 'amqp:not-implemented',
        description: `${operation} is not there: the broker has what the Basic tier has, without sessions and deferral`,
      };
  }
}

function renew(queue: Queue, tokens: Buffer[]): Answer {
  const until: number[] = [];
  for (const token of tokens) {
    const renewed = queue.renew(tokenKey(token));
    if (renewed === undefined) return { status: 410, ...lockLost };
    until.push(renewed);
  }
  return { status: 200, body: { expirations: types.wrap_array(until, timestampArray) } };
}

async function cancel(queue: Queue, sequences: unknown[]): Promise<Answer> {
  for (const sequence of sequences) {
    if (await queue.cancelScheduled(Number(sequence))) continue;
    const description = `There is no scheduled message ${String(sequence)}.`;
    return { status: 404, condition: 'com.microsoft:message-not-found', description };
  }
  return { status: 200 };
}

async function settle(queue: Queue, body: Body): Promise<Answer> {
  for (const token of body['lock-tokens'] ?? []) {
    const lock = queue.lock(tokenKey(token));
    if (lock === undefined) return { status: 410, ...lockLost };
    const properties = body['properties-to-modify'];
    switch (body['disposition-status']) {
      case 'completed':
        await queue.complete(lock);
        break;
      case 'abandoned':
        await queue.abandon(lock, properties);
        break;
      case 'suspended':
        await queue.deadLetter(lock, {
          ...properties,
          DeadLetterReason: body['deadletter-reason'],
          DeadLetterErrorDescription: body['deadletter-description'],
        });
        break;
      default:
        return { status: 501, condition: 'amqp:not-implemented', description: 'deferral is not there' };
    }
  }
  return { status: 200 };
}

export const serverBusy = 'com.microsoft:server-busy';

/** How a failure of ours is told: clients come back to a busy server. */
export function trouble(error: unknown): { condition: string; description: string } {
  const refusal = diskRefusal(error);
  if (refusal !== undefined) return { condition: serverBusy, description: refusal };
  return { condition: 'amqp:internal-error', description: error instanceof Error ? error.message : String(error) };
}
