/** Holds an answer of the HTTP API against the OpenAPI document that the API serves. */
import * as z from 'zod';

const parameter = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean(),
  schema: z.record(z.string(), z.unknown()),
});
const content = z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) }));
const operation = z.object({
  operationId: z.string(),
  'x-role': z.enum(['open', 'viewer', 'labeler', 'operator']),
  'x-scope': z.enum(['project', 'all-projects', 'any-key']),
  parameters: z.array(parameter),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string(), content: content.optional() })),
});
const openApiDocument = z.looseObject({
  openapi: z.string().startsWith('3.1'),
  paths: z.record(z.string(), z.record(z.string(), operation)),
});
export type Operation = z.infer<typeof operation> & { method: string; path: string };

/** Reads the document that an API serves. */
export async function readOperations(origin: string, key: string): Promise<Operation[]> {
  const served = await fetch(`${origin}/api/openapi.json`, { headers: { 'x-api-key': key } });
  const { paths } = openApiDocument.parse(await served.json());
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ ...one, method: method.toUpperCase(), path })),
  );
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
}

const validators = new WeakMap<object, z.ZodType>();
function validator(schema: Record<string, unknown>): z.ZodType {
  const known = validators.get(schema) ?? z.fromJSONSchema(schema);
  validators.set(schema, known);
  return known;
}

/** Media type of an answer. */
export const typeOf = ({ headers }: Pick<Answer, 'headers'>): string =>
  headers.get('content-type')?.split(';')[0] ?? '';

/** The JSON of an answer; undefined when it is none. */
export const jsonOf = (answer: Answer): unknown =>
  typeOf(answer).endsWith('json') ? (JSON.parse(answer.body.toString('utf8')) as unknown) : undefined;

const problem = z.object({
  status: z.number(),
  requestId: z.string(),
  error: z.object({ code: z.string(), message: z.string().min(20) }),
});

/** In what an answer differs from what the document promises for its status; nothing: it keeps the promise. */
export function differences(one: Operation, answer: Answer): string[] {
  const { status, headers } = answer;
  const found: string[] = [];
  const declared = one.responses[String(status)];
  const promised = (declared ?? one.responses['default'])?.content ?? {};
  const type = typeOf(answer);
  if (!(type in promised)) found.push(`its type is ${type}, promised are ${Object.keys(promised).join(', ')}`);
  if (!headers.get('x-request-id')) found.push('it has no x-request-id');
  const json = jsonOf(answer);
  const schema = promised[type]?.schema;
  if (json !== undefined && schema !== undefined) {
    const parsed = validator(schema).safeParse(json);
    if (!parsed.success) found.push(z.prettifyError(parsed.error));
  }
  if (declared === undefined) {
    const parsed = problem.safeParse(json);
    if (!parsed.success) found.push(`no problem details: ${z.prettifyError(parsed.error)}`);
    else if (
      parsed.data.status !== status ||
      parsed.data.requestId !== headers.get('x-request-id') ||
      parsed.data.error.code !== headers.get('x-ms-error-code')
    )
      found.push('status, request id or error code differ between head and body');
  }
  const monitored = status === 202 && one.operationId !== 'dead-letters-replay';
  if (monitored && !/^https?:/.test(headers.get('operation-location') ?? ''))
    found.push('it has no operation-location');
  return found;
}
