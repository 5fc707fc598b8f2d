/** A client of the API: repeats what got no answer, under the same id, until it is answered. */
import { RetryLater } from '../../shared/errors.ts';
import type { Role } from '../../shared/key/document.ts';
import type { HttpAnswer } from './instance.ts';
import type { World } from './world.ts';

interface Asked {
  params?: Record<string, string>;
  query?: Record<string, string>;
  json?: unknown;
  bytes?: Buffer;
  headers?: Record<string, string>;
  role?: Role;
}

export interface Client {
  /** undefined: no answer came in all tries */
  ask(route: string, asked: Asked): Promise<HttpAnswer | undefined>;
}

const maxTries = 12;

/** Creates a client; a 5xx is as good as no answer. */
export function createClient({ scheduler, keys, call }: Pick<World, 'scheduler' | 'keys' | 'call'>): Client {
  return {
    async ask(route, { params = {}, query, json, bytes, headers, role = 'operator' }) {
      const body = bytes ?? (json === undefined ? undefined : Buffer.from(JSON.stringify(json)));
      for (let tries = 1; tries <= maxTries; tries++) {
        try {
          const answer = await call({
            ...{ route, params },
            ...(query === undefined ? {} : { query }),
            ...(body === undefined ? {} : { body }),
            headers: {
              'x-api-key': keys[role],
              ...(json === undefined ? {} : { 'content-type': 'application/json' }),
              ...headers,
            },
          });
          if (answer.status < 500) return answer;
        } catch (error) {
          if (!(error instanceof RetryLater)) throw error;
        }
        await scheduler.sleep(Math.min(20_000, 300 * 2 ** tries));
      }
      return undefined;
    },
  };
}

/** The values of a listing; none where there was no answer. */
export const valuesOf = (answer: HttpAnswer | undefined): Record<string, unknown>[] =>
  (answer?.json['value'] as Record<string, unknown>[] | undefined) ?? [];

/** A field of an answer as text. */
export const text = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
