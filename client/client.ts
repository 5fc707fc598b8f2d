/** A connection to the HTTP API: fetch and nothing else, so that it runs in browsers as in Node. */
import * as z from 'zod';
import { problemBody } from '../shared/api/problem.ts';

/** What every function of this folder is handed first. */
export interface Client {
  /** Reads a resource with its ETag; a path begins with `/` and is relative to `/api/v1`; a link is taken as the API gave it. */
  get<T>(pathOrLink: string, shape: z.ZodType<T>): Promise<{ body: T; etag: string }>;
  /** Sends JSON. */
  send<T>(
    method: 'PUT' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body: unknown,
    shape: z.ZodType<T>,
    headers?: Record<string, string>,
  ): Promise<T>;
  /** Sends bytes, e.g. an image to be scored. */
  sendBytes<T>(path: string, bytes: Uint8Array, contentType: string, shape: z.ZodType<T>): Promise<T>;
}

/** An answer that is not a success. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'Refused';
    this.status = status;
  }
}

const timeoutMs = 60_000;
/** a body has a second more for each MB: models have many */
const slowestBytesPerMs = 1024;
const attempts = 4;
const pauseMs = 500;
/** what a server says while its process is being replaced */
export const transient: ReadonlySet<number> = new Set([429, 502, 503, 504]);

async function read<T>(what: string, response: Response, shape: z.ZodType<T>): Promise<{ body: T; etag: string }> {
  const text = await response.text();
  if (!response.ok) throw new Refused(response.status, `${what} was answered ${response.status}: ${explain(text)}`);
  const parsed = shape.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new Error(`${what} was answered with another shape than expected:\n${z.prettifyError(parsed.error)}`);
  return { body: parsed.data, etag: response.headers.get('etag') ?? '' };
}

function explain(text: string): string {
  try {
    const problem = problemBody.parse(JSON.parse(text));
    return `${problem.error.code}: ${problem.detail} (request ${problem.requestId})`;
  } catch {
    return text.slice(0, 500) || 'no body';
  }
}

/** fetch says only that it failed; its cause says why. */
const whyNone = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Fetches what changes nothing when it is done twice, again a few times; `attempt` is the one that was answered. */
export async function fetchWithRetry(
  url: string,
  init: RequestInit,
  retried = transient,
): Promise<{ response: Response; attempt: number }> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
      if (!retried.has(response.status) || attempt === attempts) return { response, attempt };
      await response.arrayBuffer();
    } catch (error) {
      if (attempt === attempts)
        throw new Error(`${init.method ?? 'GET'} ${url.split('?')[0]} got no answer: ${whyNone(error)}`, {
          cause: error,
        });
    }
    await sleep(pauseMs * attempt);
  }
}

/** A client for the API at `address` (e.g. `http://127.0.0.1:7071`), with a key of it. Its errors quote the API's problem details. */
export function createClient(address: string, key: string): Client {
  const base = `${address}/api/v1`;
  const auth = { 'x-api-key': key };
  return {
    async get(pathOrLink, shape) {
      const url = pathOrLink.startsWith('/api/')
        ? address + pathOrLink
        : pathOrLink.startsWith('/')
          ? base + pathOrLink
          : pathOrLink;
      return read(`GET ${pathOrLink}`, (await fetchWithRetry(url, { headers: auth })).response, shape);
    },
    async send(method, path, body, shape, headers = {}) {
      const init = {
        method,
        headers: { ...auth, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      };
      return (await read(`${method} ${path}`, await fetch(base + path, init), shape)).body;
    },
    async sendBytes(path, bytes, contentType, shape) {
      const init = {
        method: 'POST',
        headers: { ...auth, 'content-type': contentType },
        body: new Uint8Array(bytes),
        signal: AbortSignal.timeout(timeoutMs + Math.ceil(bytes.length / slowestBytesPerMs)),
      };
      return (await read(`POST ${path}`, await fetch(base + path, init), shape)).body;
    },
  };
}
