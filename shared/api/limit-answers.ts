/** What limits answer, the same for every route, as OpenAPI describes it. */
import { headersOf } from './headers.ts';

type Json = Record<string, unknown>;

const ofBodies = {
  408: 'The body came too slowly. Send it again',
  413: 'The body is too large',
  415: 'The body is in a content encoding, or of a type, that is not taken',
};

/** Adds to the answers of a route what limits answer and which fields they have. `problem` is the answer of any other error. */
export function withLimits(
  route: { role: string; method: string },
  answers: Record<string, Json>,
  problem: Json,
): Record<string, Json> {
  const refusals = Object.entries(route.method === 'GET' ? {} : ofBodies).map(
    ([status, description]) => [status, { ...problem, description }] as const,
  );
  const all = { ...Object.fromEntries(refusals), ...answers };
  // who calls a route without a key is not counted
  if (route.role === 'open') return all;
  const tooMany = { ...problem, description: 'Too much at once of this key, or too many wrong keys from this address' };
  return Object.fromEntries(
    Object.entries<Json>({ ...all, 429: tooMany }).map(([status, answer]) => {
      const headers = { ...(answer['headers'] as Json | undefined), ...headersOf(['RateLimit', 'RateLimit-Policy']) };
      return [status, { ...answer, headers }];
    }),
  );
}
