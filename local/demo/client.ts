/** A client of the HTTP API and of upload URLs, as an app would write it: fetch and nothing else. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { problemBody } from '../../shared/api/problem.ts';

export interface Client {
  /** Reads a resource with its ETag; a path begins with `/` and is relative to `/api/v1`; a link is taken as the API gave it. */
  get<T>(pathOrLink: string, shape: z.ZodType<T>): Promise<{ body: T; etag: string }>;
  /** Sends JSON. */
  send<T>(
    method: 'PUT' | 'POST',
    path: string,
    body: unknown,
    shape: z.ZodType<T>,
    headers?: Record<string, string>,
  ): Promise<T>;
  /** Sends bytes, e.g. an image to be scored. */
  sendBytes<T>(path: string, bytes: Buffer, contentType: string, shape: z.ZodType<T>): Promise<T>;
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
const attempts = 4;
const pauseMs = 500;
/** what a server says while its process is being replaced */
const transient = new Set([429, 502, 503, 504]);
/** what storage says when it is busy, or does not know what became of a request */
const transientInStorage = new Set([...transient, 500]);

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

/** Repeats what changes nothing when it is done twice, a few times; `attempt` is the one that was answered. */
async function patiently(
  url: string,
  init: RequestInit,
  passing = transient,
): Promise<{ response: Response; attempt: number }> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
      if (!passing.has(response.status) || attempt === attempts) return { response, attempt };
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
      return read(`GET ${pathOrLink}`, (await patiently(url, { headers: auth })).response, shape);
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
        signal: AbortSignal.timeout(timeoutMs),
      };
      return (await read(`POST ${path}`, await fetch(base + path, init), shape)).body;
    },
  };
}

/** What a route answers page by page, along its links; at most `limit` pages, which no demo fills. */
export async function* pagesOf<T extends { nextLink?: string | undefined }>(
  client: Client,
  path: string,
  shape: z.ZodType<T>,
  limit = 1000,
): AsyncGenerator<T> {
  let next: string | undefined = path;
  for (let pages = 0; next !== undefined && pages < limit; pages += 1) {
    const { body }: { body: T } = await client.get(next, shape);
    yield body;
    next = body.nextLink;
  }
}

/** All items of a listing, on at most `limit` pages. */
export async function getAll<T>(client: Client, path: string, item: z.ZodType<T>, limit?: number): Promise<T[]> {
  const shape = z.object({ value: z.array(item), nextLink: z.string().optional() });
  const items: T[] = [];
  for await (const { value } of pagesOf(client, path, shape, limit)) items.push(...value);
  return items;
}

/** PUTs bytes to an upload URL with the headers that came with it. A repeat that finds the blob made has succeeded before. */
export async function putToStorage(url: string, headers: Record<string, string>, bytes: Buffer): Promise<void> {
  const init = { method: 'PUT', headers, body: new Uint8Array(bytes) };
  const { response, attempt } = await patiently(url, init, transientInStorage);
  const answer = await response.text();
  // the address may create and not overwrite
  const isThere = response.status === 409 || response.headers.get('x-ms-error-code') === 'UnauthorizedBlobOverwrite';
  if (response.ok || (attempt > 1 && isThere)) return;
  const place = new URL(url).pathname;
  throw new Error(`PUT ${place} was answered ${response.status} by storage: ${answer.slice(0, 500)}`);
}
