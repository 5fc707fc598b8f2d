/** The routes over a world in memory, found by method and path as the host finds them. */
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { api } from '../../../functions/http/api/api.ts';
import { mount } from '../../../functions/http/mount.ts';
import type { HttpPorts } from '../../../functions/http/route.ts';
import type { Surface } from '../../../functions/http/surface.ts';
import { compileRoutes, type HttpFunction, matchRoute } from '../../../local/functions-host/http-routes.ts';
import { keyDocument, newKey } from '../../../shared/key/secret.ts';
import type { KeyDocument } from '../../../shared/key/document.ts';
import { createFakes, type Fakes } from '../../simulation/fakes.ts';

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

export interface Asked {
  key?: string;
  headers?: Record<string, string>;
  /** text and bytes are sent as they are, anything else as JSON */
  body?: unknown;
}

export interface Answered {
  status: number;
  headers: Headers;
  json: unknown;
  text: string;
}

export interface Backend {
  world: Fakes;
  /** an operator's key for all projects */
  key: string;
  /** Stores a key that was made from 32 times this byte. */
  keyOf: (byte: number, grant: Partial<KeyDocument>) => string;
  /** Sends to `/api` + path, where `/..` leads out of it; rejects where no route fits, as the host then asks no function. */
  send: (method: string, path: string, asked?: Asked) => Promise<Answered>;
  /** what was logged as an error */
  errors: string[];
}

const noScore: HttpPorts['score'] = () => Promise.reject(new Error('nothing is scored here'));

/** Creates it; `more` replaces what it is handed, `others` are surfaces beside the API. */
export function createBackend(more: Partial<HttpPorts> = {}, others: readonly Surface[] = []): Backend {
  const world = createFakes();
  const handlers = new Map<string, Handler>();
  const functions: HttpFunction[] = [];
  mount(
    {
      http(name, { handler, ...trigger }) {
        handlers.set(name, handler as unknown as Handler);
        functions.push({ name, trigger: { type: 'httpTrigger', ...trigger } } as unknown as HttpFunction);
      },
    },
    { ...world.ports, score: noScore, ...more },
    [api, ...others],
  );
  const routes = compileRoutes(functions);
  const errors: string[] = [];
  const keyOf: Backend['keyOf'] = (byte, grant) => {
    const key = newKey(Buffer.alloc(32, byte));
    const at = world.ports.clock.now().toISOString();
    world.put('keys', { ...keyDocument(key, { name: 'k', role: 'operator', project: '*' }, at), ...grant });
    return key;
  };
  const own = keyOf(1, { name: 'owner' });
  return {
    ...{ world, key: own, keyOf, errors },
    async send(method, path, { key = own, headers = {}, body } = {}) {
      const url = new URL(`http://a/api${path}`);
      const found = matchRoute(routes, method, url.pathname);
      if (found === undefined) throw new Error(`no route answers ${method} ${path}`);
      const raw = typeof body === 'string' || Buffer.isBuffer(body);
      const bytes = body === undefined ? undefined : Buffer.from(raw ? (body as string) : JSON.stringify(body));
      const type = bytes === undefined || raw ? {} : { 'content-type': 'application/json' };
      const request = {
        ...{ method, url: url.href },
        headers: new Headers({ 'x-api-key': key, ...type, ...headers }),
        body: bytes === undefined ? null : new Blob([bytes]).stream(),
      };
      const context = { invocationId: 'i', error: (text: string) => void errors.push(text) };
      const answer = await handlers.get(found.function.name)?.(
        request as unknown as HttpRequest,
        context as unknown as InvocationContext,
      );
      const text = await new Response(answer?.body as ConstructorParameters<typeof Response>[0]).text();
      const answered = new Headers(answer?.headers as Record<string, string>);
      const json = answered.get('content-type')?.includes('json') ? (JSON.parse(text) as unknown) : undefined;
      return { status: answer?.status ?? 0, headers: answered, json, text };
    },
  };
}
