/** Requests to Azurite: forwarded as they came (so that signatures stay valid), or signed by the front door itself. */
import { createHmac } from 'node:crypto';
import { Agent, type IncomingMessage, request as plainRequest, type ServerResponse } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { account, type BlobWrite, type WrittenBlob } from './event.ts';

/** headers that belong to one connection (RFC 9110, 7.6.1); `expect` was answered by our own server */
const connectionHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
]);
const maxSockets = 256;
const headTimeoutMs = 10_000;

export interface Upstream {
  /**
   * Streams a request to Azurite and resolves with the head of its answer; the body is not read yet.
   * Rejects when Azurite cannot be reached, or the client left before its request was complete.
   */
  forward(incoming: IncomingMessage): Promise<IncomingMessage>;
  /** Properties of a blob as it is now; undefined when there is none. */
  properties(write: BlobWrite): Promise<WrittenBlob | undefined>;
  close(): void;
}

const withoutConnectionHeaders = (raw: string[], more: string[] = []): string[] => {
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = raw.slice(i, i + 2);
    const lower = name.toLowerCase();
    if (!connectionHeaders.has(lower) && !more.includes(lower)) kept.push(name, value);
  }
  return kept;
};

/** Streams Azurite's answer to the client; settles when it is sent or the client has left. */
export async function relay(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(answer.statusCode ?? 502, withoutConnectionHeaders(answer.rawHeaders, ['transfer-encoding']));
  // a client that leaves in the middle of a download is no fault of ours
  await pipeline(answer, response).catch(() => undefined);
}

/** Talks to the Azurite at `address` over kept connections with the account's key; `ca` is the certificate that it has to show. */
export function connectUpstream(address: string, key: string, ca?: string): Upstream {
  // Azurite closes idle connections after 5 s and says so in Keep-Alive, which the agent heeds
  const pool = { keepAlive: true, maxSockets, scheduling: 'lifo' } as const;
  const agent = ca === undefined ? new Agent(pool) : new SecureAgent({ ...pool, ca });
  const request = ca === undefined ? plainRequest : secureRequest;
  const { hostname, port } = new URL(address);
  const target = { hostname, port, agent };

  const forward = (incoming: IncomingMessage) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { method, url: path } = incoming;
      // Host stays the client's: Azurite builds the addresses in its answers from it
      const outgoing = request({ ...target, method, path, headers: withoutConnectionHeaders(incoming.rawHeaders) });
      outgoing.once('response', (answer) => {
        // refused before the body was read: the rest of it is of no use, and this connection neither
        if (!outgoing.writableFinished) answer.once('close', () => outgoing.destroy());
        resolve(answer);
      });
      outgoing.once('error', reject);
      incoming.once('close', () => {
        if (!incoming.complete) outgoing.destroy(new Error('the client left before its request was complete'));
      });
      incoming.pipe(outgoing);
    });

  const properties = (write: BlobWrite) =>
    new Promise<WrittenBlob | undefined>((resolve, reject) => {
      const head = request({
        ...target,
        method: 'HEAD',
        path: write.path,
        headers: signedHeaders(key, 'HEAD', write.path),
        timeout: headTimeoutMs,
      });
      head.once('timeout', () => head.destroy(new Error('Azurite did not answer in time')));
      head.once('error', reject);
      head.once('response', (answer) => {
        answer.resume();
        if (answer.statusCode === 404) resolve(undefined);
        else if (answer.statusCode !== 200)
          reject(new Error(`Azurite answered ${answer.statusCode} for the properties of a blob`));
        else resolve(writtenBlob(answer));
      });
      head.end();
    });

  return { forward, properties, close: () => agent.destroy() };
}

function writtenBlob({ headers }: IncomingMessage): WrittenBlob {
  return {
    eTag: unquoted(headers.etag),
    requestId: String(headers['x-ms-request-id'] ?? ''),
    contentType: headers['content-type'] ?? 'application/octet-stream',
    contentLength: Number(headers['content-length'] ?? 0),
    blobType: String(headers['x-ms-blob-type'] ?? 'BlockBlob'),
  };
}

/** Events carry etags without quotes, HTTP carries them with quotes. */
export const unquoted = (etag = ''): string => etag.replace(/^"|"$/g, '');

/** Shared Key (https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key), no body, no query. */
function signedHeaders(key: string, method: string, path: string): Record<string, string> {
  const date = new Date().toUTCString();
  const version = '2021-12-02';
  const emptyStandardHeaders = '\n'.repeat(11);
  const text = `${method}\n${emptyStandardHeaders}x-ms-date:${date}\nx-ms-version:${version}\n/${account.name}${path}`;
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
  return { 'x-ms-date': date, 'x-ms-version': version, authorization: `SharedKey ${account.name}:${signature}` };
}
