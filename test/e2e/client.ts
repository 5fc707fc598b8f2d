/** A client that holds every answer against the served OpenAPI document, and notes what was called. */
import { expect } from 'vitest';
import * as z from 'zod';

const parameter = z.object({ name: z.string(), in: z.enum(['path', 'query', 'header']), required: z.boolean() });
const content = z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) }));
const operation = z.object({
  operationId: z.string(),
  'x-role': z.enum(['open', 'viewer', 'labeler', 'operator']),
  parameters: z.array(parameter),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string(), content: content.optional() })),
});
export const openApiDocument = z.looseObject({
  openapi: z.string().startsWith('3.1'),
  paths: z.record(z.string(), z.record(z.enum(['get', 'put', 'post']), operation).or(z.record(z.string(), operation))),
});
export type Operation = z.infer<typeof operation> & { method: string; path: string };

/** Every operation of the document. */
export const operationsOf = ({ paths }: z.infer<typeof openApiDocument>): Operation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ ...one, method: method.toUpperCase(), path })),
  );

export interface Sent {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  headers?: Record<string, string>;
  key?: string | null;
}
export interface Received {
  status: number;
  headers: Headers;
  json: unknown;
  bytes: Buffer;
}

/** Fills in the path, sends, and checks the answer against what the document promises for its status. */
export function createChecker(origin: string, operations: Operation[], operatorKey: string) {
  const reached = new Map<string, Set<number>>();
  const send = async (operationId: string, sent: Sent = {}): Promise<Received> => {
    const one = operations.find((o) => o.operationId === operationId);
    if (one === undefined) throw new Error(`the document has no operation ${operationId}`);
    const path = one.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(sent.params?.[name] ?? ''));
    const raw = Buffer.isBuffer(sent.body) || typeof sent.body === 'string';
    const body = sent.body === undefined ? undefined : raw ? sent.body : JSON.stringify(sent.body);
    const key = sent.key === undefined ? operatorKey : sent.key;
    const response = await fetch(`${origin}${path}?${new URLSearchParams(sent.query ?? {}).toString()}`, {
      method: one.method,
      headers: {
        ...(key === null ? {} : { 'x-api-key': key }),
        ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
        ...sent.headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body as Buffer) }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    const json: unknown = type.endsWith('json') ? JSON.parse(bytes.toString('utf8')) : undefined;
    reached.set(operationId, (reached.get(operationId) ?? new Set()).add(response.status));
    check(one, { status: response.status, headers: response.headers, json, bytes }, type);
    return { status: response.status, headers: response.headers, json, bytes };
  };
  return { send, reached };
}

function check(one: Operation, { status, headers, json }: Received, type: string): void {
  const where = `${one.operationId} ${status}`;
  const declared = one.responses[String(status)];
  const promised = (declared ?? one.responses['default'])?.content;
  expect(Object.keys(promised ?? {}), where).toContain(type);
  expect(headers.get('x-request-id'), where).toBeTruthy();
  const schema = promised?.[type]?.schema;
  if (json !== undefined && schema !== undefined) {
    const parsed = z.fromJSONSchema(schema).safeParse(json);
    expect(parsed.success ? '' : z.prettifyError(parsed.error), where).toBe('');
  }
  if (declared === undefined) {
    const problem = json as { status: number; requestId: string; error: { code: string; message: string } };
    expect(problem.status, where).toBe(status);
    expect(problem.requestId, where).toBe(headers.get('x-request-id'));
    expect(problem.error.code, where).toBe(headers.get('x-ms-error-code'));
    expect(problem.error.message.length, where).toBeGreaterThan(20);
  }
  if (status === 202 && one.operationId !== 'dead-letters-replay')
    expect(headers.get('operation-location'), where).toMatch(/^http:/);
}
