/** A client that holds every answer against the served OpenAPI document, and notes what was called. */
import { expect } from 'vitest';
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
