/** The HTTP listener of the host: routes, keys, limits, and POST /admin/functions/{name}. */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from '../listen.ts';
import { drainAfter, endUnread } from '../unread.ts';
import { answerEmpty, type HttpCall } from './http-call.ts';
import { answerClassic } from './http-classic.ts';
import { compileRoutes, matchRoute, type HttpFunction } from './http-routes.ts';
import { answerStream } from './http-stream.ts';
import type { Invoke, Log } from './invoker.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface HttpFront {
  port: number;
  /** takes no more requests */
  stop(): void;
  /** resolves when every answer under way is through */
  idle(): Promise<unknown>;
  close(): Promise<void>;
}

export interface HttpFrontOptions {
  functions: HttpFunction[];
  port: number;
  hostname: string;
  routePrefix: string;
  /** whether `/` shows the host's own page, whatever routes there are */
  homepage: boolean;
  maxOutstandingRequests: number;
  maxBodyBytes: number;
  /** the front end of Azure gives up after 230 s without an answer */
  gatewayTimeoutMs: number;
  keys: Record<string, string>;
  ready: () => Promise<WorkerProcess>;
  invoke: Invoke;
  log: Log;
  /** runs a timer by hand; undefined: there is no such timer */
  runTimer: (name: string) => Promise<void> | undefined;
}

const digest = (text: string) => createHash('sha256').update(text).digest();

function keyOf(request: IncomingMessage, url: URL): string | undefined {
  const header = request.headers['x-functions-key'];
  return typeof header === 'string' ? header : (url.searchParams.get('code') ?? undefined);
}

function isOneOf(given: string | undefined, keys: (string | undefined)[]): boolean {
  if (!given) return false;
  return keys.some((key) => key !== undefined && key !== '' && timingSafeEqual(digest(given), digest(key)));
}

/** `function` wants the function's key, a host key, or the master key; `admin` the master key. */
function isAllowed(target: HttpFunction, request: IncomingMessage, url: URL, keys: Record<string, string>): boolean {
  const { authLevel } = target.trigger;
  if (authLevel === 'anonymous') return true;
  const own = authLevel === 'function' ? [keys[target.name], keys['host'], keys['default']] : [];
  return isOneOf(keyOf(request, url), [...own, keys['master']]);
}

function answerAdmin(
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  options: HttpFrontOptions,
): void {
  if (!isOneOf(keyOf(request, url), [options.keys['master']])) return answerEmpty(response, 401);
  if (request.method !== 'POST') return answerEmpty(response, 404);
  const run = options.runTimer(name);
  if (!run) return answerEmpty(response, 404);
  run.catch(() => {}); // logged by invoke; the real host answers before the function ends, too
  answerEmpty(response, 202);
}

/** What the real host shows unless AzureWebJobsDisableHomepage is set. */
function answerHomepage(response: ServerResponse): void {
  const headers = { 'content-type': 'text/html' };
  response.writeHead(200, headers).end('<title>Your Functions 4.0 app is up and running</title>');
}

/** The path behind the route prefix, with its leading slash; undefined when it is elsewhere. */
function behindPrefix(pathname: string, routePrefix: string): string | undefined {
  if (routePrefix === '') return pathname;
  const start = `/${routePrefix.toLowerCase()}/`;
  return pathname.toLowerCase().startsWith(start) ? pathname.slice(start.length - 1) : undefined;
}

function parseUrl(request: IncomingMessage): URL | undefined {
  const path = request.url ?? '';
  return path.startsWith('/')
    ? (URL.parse(`http://${request.headers.host ?? 'localhost'}${path}`) ?? undefined)
    : undefined;
}

async function answerCall(call: HttpCall, options: HttpFrontOptions): Promise<void> {
  const { response } = call;
  let worker: WorkerProcess;
  try {
    worker = await options.ready();
  } catch {
    return answerEmpty(response, 503);
  }
  const timer = setTimeout(() => answerEmpty(response, 504), options.gatewayTimeoutMs);
  const stopTimer = () => clearTimeout(timer);
  response.once('close', stopTimer);
  if (worker.httpUri) return answerStream(call, worker, worker.httpUri, options.invoke, options.log);
  return answerClassic(call, options.invoke);
}

/** Finds the function for a request and runs it; answers 400, 401, 404, 413 and 429 itself. */
async function dispatch(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpFrontOptions,
  routes: ReturnType<typeof compileRoutes>,
  outstanding: Set<Promise<void>>,
): Promise<void> {
  const url = parseUrl(request);
  if (!url) return answerEmpty(response, 400);
  const admin = /^\/admin\/functions\/([\w-]+)\/?$/i.exec(url.pathname)?.[1];
  if (admin) return answerAdmin(admin, request, response, url, options);
  if (options.homepage && url.pathname === '/') return answerHomepage(response);
  const path = behindPrefix(url.pathname, options.routePrefix);
  let match: ReturnType<typeof matchRoute>;
  try {
    match = path === undefined ? undefined : matchRoute(routes, request.method ?? 'GET', path);
  } catch {
    return answerEmpty(response, 400); // broken percent encoding
  }
  if (!match) return answerEmpty(response, 404);
  if (!isAllowed(match.function, request, url, options.keys)) return answerEmpty(response, 401);
  if (outstanding.size >= options.maxOutstandingRequests) return answerEmpty(response, 429);
  if (Number(request.headers['content-length'] ?? 0) > options.maxBodyBytes) {
    return answerEmpty(response.setHeader('connection', 'close'), 413);
  }
  const { maxBodyBytes } = options;
  const call = answerCall({ ...match, url, request, response, maxBodyBytes, invocationId: randomUUID() }, options);
  outstanding.add(call);
  try {
    await call;
  } finally {
    outstanding.delete(call);
  }
}

/** Listens for HTTP requests; rejects when a route is wrong or the port is taken. */
export async function startHttpFront(options: HttpFrontOptions): Promise<HttpFront> {
  const routes = compileRoutes(options.functions);
  const outstanding = new Set<Promise<void>>();
  let stopped = false;
  const server = createServer((request, response) => {
    request.on('error', () => {}); // a client that went away; its answer goes nowhere
    response.on('error', () => {});
    drainAfter(response, request);
    endUnread(response);
    if (stopped) return answerEmpty(response.setHeader('connection', 'close'), 503);
    dispatch(request, response, options, routes, outstanding).catch((error: unknown) => {
      if (!request.destroyed) options.log('error', `answering ${request.method}: ${(error as Error).stack}`);
      answerEmpty(response, 500);
    });
  });
  // A slow upload is the function's business; Azure's front end has no such limit either.
  server.requestTimeout = 0;
  const port = await listen(server, {
    port: options.port,
    host: options.hostname,
    purpose: 'http',
    setting: 'ports.http (--port)',
  });
  return {
    port,
    stop() {
      stopped = true;
      server.close();
      server.closeIdleConnections();
    },
    idle: () => Promise.allSettled(outstanding),
    async close() {
      stopped = true;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
