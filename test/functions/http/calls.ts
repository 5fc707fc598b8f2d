/** Calls of the routes without a server, in a small world. */
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { api } from '../../../functions/http/api/api.ts';
import { mount } from '../../../functions/http/mount.ts';
import type { HttpPorts } from '../../../functions/http/route.ts';
import { keyDocument, newKey } from '../../../shared/key/secret.ts';
import type { Role } from '../../../shared/key/document.ts';
import type { Fakes } from '../../simulation/fakes.ts';

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

export interface CallOf {
  key?: string;
  headers?: Record<string, string>;
  body?: AsyncIterable<Uint8Array>;
}

/** Calls the route of that function name; `path` follows `/api/v1`. */
export type CallRoute = (
  name: string,
  path: string,
  call?: CallOf,
) => Promise<{ status: number | undefined; headers: Headers; json: Record<string, unknown> }>;

/** The routes over `world`; scoring answers at once unless `more` says otherwise. */
export function routesOf(world: Fakes, more: Partial<HttpPorts> = {}): CallRoute {
  const handlers = new Map<string, Handler>();
  const score: HttpPorts['score'] = (_project, { bytes }) =>
    Promise.resolve({ task: 'classification', prediction: null, bytes: bytes.length } as never);
  mount(
    { http: (name, { handler }) => void handlers.set(name, handler as unknown as Handler) },
    { ...world.ports, score, ...more },
    [api],
  );
  return async (name, path, { key, headers, body } = {}) => {
    const request = {
      url: `http://a/api/v1${path}`,
      headers: new Headers({ ...headers, ...(key === undefined ? {} : { 'x-api-key': key }) }),
      body: body ?? null,
    };
    const context = { invocationId: 'i', error: (text: string) => console.error(text) };
    const handler = handlers.get(`api-${name}`);
    if (handler === undefined) throw new Error(`there is no route ${name}`);
    const answer = await handler(request as unknown as HttpRequest, context as unknown as InvocationContext);
    const text = typeof answer.body === 'string' ? answer.body : '{}';
    return {
      status: answer.status,
      headers: new Headers(answer.headers as Record<string, string>),
      json: JSON.parse(text) as Record<string, unknown>,
    };
  };
}

/** A key that is in the documents of `world`, made of the byte `n`. */
export function keyIn(world: Fakes, n: number, role: Role = 'viewer', project = '*'): string {
  const key = newKey(Buffer.alloc(32, n));
  world.put('keys', keyDocument(key, { name: `k${n}`, role, project }, world.ports.clock.now().toISOString()));
  return key;
}
