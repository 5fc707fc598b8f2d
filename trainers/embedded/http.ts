/** Plain HTTP with bounds: on time, on bytes, on tries. All a job has. */
import { setTimeout as pause } from 'node:timers/promises';

/** Trouble that another try will not mend. */
export class HttpError extends Error {
  readonly status: number;
  constructor(method: string, status: number) {
    super(`${method} was answered ${status}`);
    this.status = status;
  }
}

const requestTimeoutMs = 60_000;
/** storage that is away for minutes is no failure of a training that has taken hours */
const patienceMs = 15 * 60_000;
const firstPauseMs = 200;
/** a job that is silent for two minutes is given up: once storage is back it is to report soon */
const longestPauseMs = 5000;

/** Storage answers 429, 500 and 503 when it is busy. https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes */
const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/**
 * Whether storage says that the blob is there: by `If-None-Match`, or because the address may create and not overwrite.
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 */
const isThere = ({ status, headers }: Response): boolean =>
  status === 409 ||
  status === 412 ||
  (status === 403 && headers.get('x-ms-error-code') === 'UnauthorizedBlobOverwrite');

async function readBody(response: Response, maxBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of response.body ?? []) {
    sizeBytes += part.length;
    if (sizeBytes > maxBytes) throw new HttpError('GET (too large)', 413);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Runs `attempt` until it gives something or throws an HttpError that lasts; pauses double. Addresses stay out of messages: they are signed. */
async function persist<T>(attempt: (number: number) => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  for (let number = 1; ; number++) {
    try {
      return await attempt(number);
    } catch (error) {
      const lasting = error instanceof HttpError && !isPassing(error.status);
      if (lasting || performance.now() - startedAt > patienceMs) throw error;
      await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** (number - 1)));
    }
  }
}

/** Reads an address: at most `maxBytes`. Throws an HttpError for a lasting refusal, any Error after a quarter of an hour. */
export async function get(url: string, maxBytes: number): Promise<Buffer> {
  return persist(async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(requestTimeoutMs), redirect: 'error' });
    if (response.status === 200) return readBody(response, maxBytes);
    await response.body?.cancel();
    throw new HttpError('GET', response.status);
  });
}

/**
 * Creates a blob (Put Blob). 'exists': somebody else's is there. A blob found after an unclear try of ours counts as ours,
 * since the lost answer may have been to a write that took place.
 */
export async function create(url: string, body: Buffer, contentType: string): Promise<'created' | 'exists'> {
  return persist(async (number) => {
    const response = await fetch(url, {
      method: 'PUT',
      headers: { 'content-type': contentType, 'x-ms-blob-type': 'BlockBlob', 'if-none-match': '*' },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(requestTimeoutMs),
      redirect: 'error',
    });
    await response.body?.cancel();
    if (response.status === 201 || response.status === 200) return 'created';
    if (isThere(response)) return number > 1 ? 'created' : 'exists';
    throw new HttpError('PUT', response.status);
  });
}
