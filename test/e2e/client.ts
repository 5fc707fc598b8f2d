/** Clients of the API: a plain one, and one that holds every answer against the served OpenAPI document. */
import { expect } from 'vitest';
import type * as z from 'zod';
import { differences, jsonOf, type Operation } from './contract.ts';

export interface Sent {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  headers?: Record<string, string>;
  key?: string | null;
}
interface Received {
  status: number;
  headers: Headers;
  json: unknown;
  bytes: Buffer;
}

export type Checker = ReturnType<typeof createChecker>;

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
    const answer = { status: response.status, headers: response.headers, body: bytes };
    reached.set(operationId, (reached.get(operationId) ?? new Set()).add(response.status));
    expect(differences(one, answer), `${operationId} ${response.status}`).toEqual([]);
    return { status: response.status, headers: response.headers, json: jsonOf(answer), bytes };
  };
  return { send, reached };
}

export type Api = ReturnType<typeof createApi>;

/** Calls routes behind `/api/v1` with a key; bodies are bytes or become JSON. */
export function createApi(origin: string, key: string) {
  const call = async (method: string, route: string, body?: unknown, headers: Record<string, string> = {}) => {
    const sent = Buffer.isBuffer(body) ? new Uint8Array(body) : body === undefined ? undefined : JSON.stringify(body);
    const response = await fetch(`${origin}/api/v1${route}`, {
      method,
      headers: { 'x-api-key': key, 'content-type': 'application/json', ...headers },
      ...(sent === undefined ? {} : { body: sent }),
    });
    return {
      status: response.status,
      etag: response.headers.get('etag') ?? '',
      body: (await response.json()) as unknown,
    };
  };
  const read = async <T extends z.ZodType>(schema: T, route: string): Promise<z.infer<T>> =>
    schema.parse((await call('GET', route)).body);
  return { call, read };
}
