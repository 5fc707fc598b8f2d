/** Holds an answer of the HTTP API against the OpenAPI document that the API serves. */
import * as z from 'zod';
import { answerHeaders } from '../../shared/api/headers.ts';

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
  responses: z.record(
    z.string(),
    z.object({
      description: z.string(),
      headers: z.record(z.string(), z.unknown()),
      content: content.optional(),
    }),
  ),
});
const openApiDocument = z.looseObject({
  openapi: z.string().startsWith('3.1'),
  paths: z.record(z.string(), z.record(z.string(), operation)),
});
export type Operation = z.infer<typeof operation> & { method: string; path: string };

/** Puts what references lead to in their place; components of this API lead to none of themselves. */
export function dereferenced(document: Record<string, unknown>): Record<string, unknown> {
  const resolve = (value: unknown, depth: number): unknown => {
    if (depth > 100) throw new Error('a reference of the document leads to itself');
    if (Array.isArray(value)) return value.map((item) => resolve(item, depth + 1));
    if (typeof value !== 'object' || value === null) return value;
    const { $ref } = value as { $ref?: unknown };
    if (typeof $ref === 'string') {
      const target = $ref
        .slice(2)
        .split('/')
        .reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], document);
      if (target === undefined) throw new Error(`the document has no ${$ref}`);
      return resolve(target, depth + 1);
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner, depth + 1)]));
  };
  return resolve(document, 0) as Record<string, unknown>;
}

/** Reads the document that an API serves. */
export async function readOperations(origin: string, key: string): Promise<Operation[]> {
  const served = await fetch(`${origin}/api/openapi.json`, { headers: { 'x-api-key': key } });
  const { paths } = openApiDocument.parse(dereferenced((await served.json()) as Record<string, unknown>));
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

/** headers of answers that mean something to a client */
const describedHeaders = Object.keys(answerHeaders).map((name) => name.toLowerCase());

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
  const told = Object.keys((declared ?? one.responses['default'])?.headers ?? {}).map((name) => name.toLowerCase());
  const silent = describedHeaders.filter((name) => headers.has(name) && !told.includes(name));
  if (silent.length > 0) found.push(`it has ${silent.join(', ')}, of which the document says nothing`);
  if (declared !== undefined && told.includes('location') && !headers.has('location')) found.push('it has no location');
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
  if (monitored && headers.get('operation-location')?.startsWith('/api/v1/') !== true)
    found.push('it has no operation-location');
  return found;
}
