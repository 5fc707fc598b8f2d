/** What limits answer, the same for every route, as OpenAPI describes it. */

type Json = Record<string, unknown>;

/** Fields of answers, for `components.headers`. */
export const limitHeaders: Record<string, Json> = {
  RateLimit: {
    description: 'What is left of each limit: r requests at once, and t seconds until all of it is back (IETF draft)',
    schema: { type: 'string', examples: ['"key";r=2999;t=1, "project";r=5998;t=1'] },
  },
  'RateLimit-Policy': {
    description:
      'Each limit of this instance: q requests at once, and w seconds in which as many come back (IETF draft)',
    schema: { type: 'string', examples: ['"key";q=3000;w=3, "project";q=6000;w=3'] },
  },
  'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer', minimum: 0 } },
};

const refs = (...names: string[]): Json =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

const ofBodies = {
  408: 'The body came too slowly. Send it again',
  413: 'The body is too large',
  415: 'The body is in a content encoding, or of a type, that is not taken',
};

/** Adds to the answers of a route what limits answer and which fields they have. `problem` is the content of errors. */
export function withLimits(
  route: { role: string; method: string },
  answers: Record<string, Json>,
  problem: Json,
): Record<string, Json> {
  const refusals = Object.entries(route.method === 'GET' ? {} : ofBodies).map(
    ([status, description]) => [status, { description, content: problem }] as const,
  );
  const all = { ...Object.fromEntries(refusals), ...answers };
  // who calls a route without a key is not counted
  if (route.role === 'open') return all;
  const tooMany = {
    description: 'Too much at once of this key, or too many wrong keys from this address',
    content: problem,
  };
  return Object.fromEntries(
    Object.entries<Json>({ ...all, 429: tooMany }).map(([status, answer]) => {
      const headers = refs('RateLimit', 'RateLimit-Policy', ...(status === '429' ? ['Retry-After'] : []));
      return [status, { ...answer, headers: { ...(answer['headers'] as Json | undefined), ...headers } }];
    }),
  );
}
