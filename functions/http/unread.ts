/** Large answers, which somebody else has to read: no faster than they are read, and not for ever. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Share } from '../../shared/budget.ts';

/** How fast an answer has to be read. */
export interface ReadingPace {
  /** an answer that is not through by then is a slow one */
  slowAfterMs: number;
  /** what was written has to be taken within that time */
  windowMs: number;
  /** time the whole answer may take: a function that runs for 10 minutes ends its process, with all that it does */
  limitMs: number;
}

const defaultPace: ReadingPace = { slowAfterMs: 1000, windowMs: 30_000, limitMs: 480_000 };

type Writable = Pick<ServerResponse, 'writableNeedDrain' | 'destroyed' | 'destroy' | 'once' | 'off'>;

const responses = new Map<string, ServerResponse>();

const note = (message: unknown): void => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  const id = request.headers['x-ms-invocation-id'];
  if (typeof id !== 'string') return;
  responses.set(id, response);
  response.once('close', () => responses.delete(id));
};

/**
 * Notes from now on the response of each invocation, by its id. The library writes all of a streamed answer without waiting for the
 * reader (`sendProxyResponse` of @azure/functions 4.16), so that answers which nobody reads would fill the memory; and it
 * hands the response to nobody. Node says of each request which response is its own.
 */
export function noteResponses(): void {
  const channel = 'http.server.request.start';
  unsubscribe(channel, note);
  subscribe(channel, note);
}

/** The response that the answer of an invocation is written to; undefined where the host takes answers whole. */
export const responseOf = (invocationId: string): ServerResponse | undefined => responses.get(invocationId);

/**
 * Hands on chunks as fast as `response` takes them. The connection is cut where the client takes nothing of what was
 * written for 30 s, where the whole takes longer than 8 minutes, and where the answer is slow beside too many slow ones of
 * the same key (`slow` cannot grow to 1). `slow` is given back in the end.
 */
export async function* asRead<T>(
  chunks: AsyncIterable<T>,
  response: Writable | undefined,
  slow: Share,
  { slowAfterMs, windowMs, limitMs }: ReadingPace = defaultPace,
): AsyncGenerator<T> {
  const cut = (): void => void response?.destroy();
  const isSlow = setTimeout(() => slow.tryGrow(1) || cut(), slowAfterMs);
  const isLong = setTimeout(cut, limitMs);
  try {
    for await (const chunk of chunks) {
      if (response?.destroyed === true) return;
      yield chunk;
      if (response?.writableNeedDrain === true) await drained(response, windowMs);
    }
  } finally {
    clearTimeout(isSlow);
    clearTimeout(isLong);
    slow.release();
  }
}

/** Resolves when what was written is taken, or the connection has ended; ends it after `windowMs`. */
async function drained(response: Writable, windowMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => response.destroy(), windowMs);
  response.once('drain', resolve);
  response.once('close', resolve);
  await promise;
  clearTimeout(timer);
  response.off('drain', resolve);
  response.off('close', resolve);
}
