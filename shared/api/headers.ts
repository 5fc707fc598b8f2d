/** Headers of answers, as the OpenAPI document describes them. */

const text = (description: string) => ({ description, schema: { type: 'string' } });
const seconds = (description: string) => ({ description, schema: { type: 'integer', minimum: 0 } });

export const answerHeaders = {
  ETag: text('Version of what was answered; If-Match takes it'),
  Location: { description: 'Where what was made is', schema: { type: 'string', format: 'uri-reference' } },
  'Operation-Location': {
    description: 'Where to see what became of what was asked for',
    schema: { type: 'string', format: 'uri-reference' },
  },
  'Retry-After': seconds('Seconds after which another look, or another try, is worth it'),
  'X-Request-Id': text('Names this request in logs'),
  'X-Ms-Error-Code': text('The code of the error, as in the body'),
  'Prediction-Id': text('The prediction that is kept of this score: GET predictions/{prediction} tells it'),
  Allow: text('With 405: the methods that this path takes'),
  RateLimit: {
    description: 'What is left of each limit: r requests at once, and t seconds until all of it is back (IETF draft)',
    schema: { type: 'string', examples: ['"key";r=2999;t=1, "project";r=5998;t=1'] },
  },
  'RateLimit-Policy': {
    description:
      'Each limit of this instance: q requests at once, and w seconds in which as many come back (IETF draft)',
    schema: { type: 'string', examples: ['"key";q=3000;w=3, "project";q=6000;w=3'] },
  },
  'WWW-Authenticate': text('With 401: how to send a key'),
} as const;

export type AnswerHeader = keyof typeof answerHeaders;

/** References to headers, by name. */
export const headersOf = (names: readonly AnswerHeader[]): Record<string, { $ref: string }> =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
