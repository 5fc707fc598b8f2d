/** The HTTP front of the blob service: passes everything on to Azurite, and sends an event for each blob created. */
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { diskRefusal } from '../disk.ts';
import { httpServer, type Keyless, resources, whyNot } from '../identity/keyless.ts';
import { drainAfter } from '../unread.ts';
import { blobCreated, type BlobCreated, type BlobWrite, blobWrite, type WrittenBlob } from './event.ts';
import type { Outbox } from './outbox.ts';
import { redelivery } from './redelivery.ts';
import { relay, unquoted, type Upstream } from './upstream.ts';

/** Azure's limit; Azurite has none */
const maxNameCharacters = 1024;

/** an event that the queue does not take in this time waits in the outbox instead of holding up the client */
const deliverLimitMs = 10_000;

export interface FrontDoorOptions {
  upstream: Upstream;
  outbox: Outbox;
  /** queue per container; containers that are missing or null send no events */
  eventsFor: Record<string, string | null>;
  deliver: (queue: string, event: BlobCreated) => Promise<void>;
  /** the address clients use, known once the server listens */
  endpoint: () => string;
  /** TLS, tokens, and signatures by user delegation keys alone */
  keyless?: Keyless | undefined;
}

export interface FrontDoor {
  server: Server;
  deliveredCount(): number;
  /** Begins to send what a former process left undelivered; call it once the server listens. */
  resume(): void;
  /** Waits for requests under way (`limitMs` at most), then closes all connections. */
  close(limitMs: number): Promise<void>;
}

/** Runs tasks of one key one after the other, tasks of different keys at once. */
function taskQueues() {
  const last = new Map<string, Promise<void>>();
  return {
    run(key: string, task: () => Promise<void>): Promise<void> {
      const done = (last.get(key) ?? Promise.resolve()).then(task);
      const settled = done.catch(() => undefined);
      last.set(key, settled);
      void settled.then(() => {
        if (last.get(key) === settled) last.delete(key);
      });
      return done;
    },
    all: () => Promise.all(last.values()),
  };
}

function withinLimit(work: Promise<void>, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/xml', 'x-ms-error-code': code });
  response.end(
    `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );
}

/** Put Blob says in its request what was written; undefined where the request does not tell. */
function fromRequest(
  write: BlobWrite,
  request: IncomingHttpHeaders,
  answer: IncomingHttpHeaders,
): WrittenBlob | undefined {
  const length = request['content-length'];
  if (write.api !== 'PutBlob' || length === undefined || request['x-ms-blob-type'] !== 'BlockBlob') return undefined;
  return {
    eTag: unquoted(answer.etag),
    requestId: String(answer['x-ms-request-id'] ?? ''),
    contentType: String(request['x-ms-blob-content-type'] ?? request['content-type'] ?? 'application/octet-stream'),
    contentLength: Number(length),
    blobType: 'BlockBlob',
  };
}

/** What was written, for the event: from the request where it tells, else from the stored blob. */
async function describeWritten(
  upstream: Upstream,
  write: BlobWrite,
  request: IncomingHttpHeaders,
  answer: IncomingHttpHeaders,
): Promise<WrittenBlob> {
  const told = fromRequest(write, request, answer);
  if (told !== undefined) return told;
  const eTag = unquoted(answer.etag);
  const requestId = String(answer['x-ms-request-id'] ?? '');
  const now = await upstream.properties(write).catch(() => undefined);
  if (now?.eTag === eTag) return { ...now, requestId };
  // deleted or changed since: the event still tells of this write
  const contentType = 'application/octet-stream';
  return { eTag, requestId, contentType, contentLength: undefined, blobType: 'BlockBlob' };
}

/** Azurite fails inside on a path that is no text; Azure refuses it. */
function isUtf8(url: string): boolean {
  try {
    decodeURIComponent(url.split('?', 1)[0] ?? '');
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether Azurite refused to overwrite a blob by an address that may only create. It says what it says of every lack of a
 * permission; Azure has a code of its own, by which a client knows that its blob is there.
 */
function mayNotOverwrite({ url = '' }: IncomingMessage, { statusCode, headers }: IncomingMessage): boolean {
  const permissions = new URLSearchParams(url.split('?', 2)[1]).get('sp') ?? '';
  const code = headers['x-ms-error-code'];
  const refused = statusCode === 403 && code === 'AuthorizationPermissionMismatch';
  return refused && permissions.includes('c') && !permissions.includes('w');
}

/** Why Azure refuses a write that Azurite takes: code and message. */
function cannotBeWritten(
  write: BlobWrite,
  { headers }: IncomingMessage,
  secure: boolean,
): [code: string, message: string] | undefined {
  if (write.name.length > maxNameCharacters)
    return ['OutOfRangeInput', 'The name of a blob has 1,024 characters at most.'];
  // Node reads headers byte by byte as Latin-1
  const odd = Object.entries(headers).some(
    ([name, value]) => name.startsWith('x-ms-meta-') && /[^\t\x20-\x7e]/.test(String(value)),
  );
  if (odd) return ['InvalidMetadata', 'The metadata specified is invalid. It has characters that are not permitted.'];
  if (!secure && headers['x-ms-encryption-key'] !== undefined)
    return ['InvalidHeaderValue', 'A key for encryption (x-ms-encryption-key) is taken over HTTPS only.'];
  return undefined;
}

const succeeded = (write: BlobWrite, answer: IncomingMessage): boolean => {
  const status = answer.statusCode ?? 0;
  return (
    status >= 200 && status < 300 && (write.api !== 'CopyBlob' || answer.headers['x-ms-copy-status'] === 'success')
  );
};

/** Azurite would take its key as well, and does not look at the signatures of tokens. */
function mayNotEnter(keyless: Keyless, { headers, url = '' }: IncomingMessage): string | undefined {
  const query = new URLSearchParams(url.split('?', 2)[1]);
  // only signatures by a user delegation key name the identity that got it; Azurite checks them
  if (query.has('sig')) return query.has('skoid') ? undefined : 'the signature was made with the key';
  return whyNot(keyless, headers.authorization, resources.blob);
}

/**
 * Makes the front door. A write to a container with events is answered only after its event was delivered, or, if the
 * queue does not take it, after the event is on disk in the outbox, from which it is sent again until it is taken.
 * Writes to one blob take turns, so that `sequencer` orders them as they were stored; a client that is slow to send holds
 * up others that write the same blob, for 5 minutes at most (the server's request timeout).
 */
export function frontDoor(options: FrontDoorOptions): FrontDoor {
  const { upstream, outbox, eventsFor } = options;
  const turns = taskQueues();
  let delivered = 0;

  const deliver = async (row: number, queue: string, event: BlobCreated) => {
    await withinLimit(options.deliver(queue, event), deliverLimitMs);
    outbox.remove(row);
    delivered += 1;
  };

  const compose = (write: BlobWrite, blob: WrittenBlob) =>
    blobCreated(write, blob, options.endpoint(), outbox.nextSequencer(), new Date());

  const later = redelivery(outbox, { lookUp: (write) => upstream.properties(write), compose, deliver });

  /** Sends the event of a stored blob, now or later. Throws, and sends it later all the same, when the disk is full. */
  const announce = async (row: number, queue: string, write: BlobWrite, blob: WrittenBlob): Promise<void> => {
    let event: BlobCreated | undefined;
    try {
      event = compose(write, blob);
      await deliver(row, queue, event);
    } catch {
      later.add({ row, queue, write, event });
      if (event !== undefined) outbox.keep(row, event);
    }
  };

  /** Passes on what Azurite answered to a write. */
  const pass = async (request: IncomingMessage, response: ServerResponse, answer: IncomingMessage) => {
    if (!mayNotOverwrite(request, answer)) return relay(answer, response);
    answer.resume();
    const message = 'This request is not authorized to perform blob overwrites.';
    refuse(response, 403, 'UnauthorizedBlobOverwrite', message);
  };

  const handleWrite = async (request: IncomingMessage, response: ServerResponse, write: BlobWrite, queue: string) => {
    if (request.destroyed && !request.complete) return;
    const row = outbox.begin(queue, write);
    if (row === undefined) {
      refuse(response, 503, 'ServerBusy', 'Too many events wait for their queue.');
      return;
    }
    let answer: IncomingMessage;
    try {
      answer = await upstream.forward(request);
    } catch (error) {
      // nobody knows whether the blob was written: looked up later
      later.add({ row, queue, write, event: undefined });
      throw error;
    }
    if ((answer.statusCode ?? 500) >= 500) {
      later.add({ row, queue, write, event: undefined });
    } else if (!succeeded(write, answer)) {
      outbox.remove(row);
    } else {
      const blob = await describeWritten(upstream, write, request.headers, answer.headers);
      await announce(row, queue, write, blob);
    }
    await pass(request, response, answer);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? '';
    // other forms of addresses are read in more than one way, and an event must name the blob that Azurite stores
    if (!url.startsWith('/') || url.includes('#') || !isUtf8(url)) {
      refuse(response, 400, 'InvalidUri', 'The requested URI does not represent any resource on the server.');
      return;
    }
    const refusal = options.keyless && mayNotEnter(options.keyless, request);
    if (refusal !== undefined) {
      refuse(
        response,
        403,
        'KeyBasedAuthenticationNotPermitted',
        `Key based authentication is not permitted on this storage account: ${refusal}.`,
      );
      return;
    }
    const write = blobWrite(request.method ?? '', url, request.headers);
    const wrong = write === undefined ? undefined : cannotBeWritten(write, request, options.keyless !== undefined);
    if (wrong !== undefined) {
      refuse(response, 400, ...wrong);
      return;
    }
    const queue = write !== undefined && Object.hasOwn(eventsFor, write.container) ? eventsFor[write.container] : null;
    try {
      if (write === undefined) await relay(await upstream.forward(request), response);
      else if (queue === undefined || queue === null) await pass(request, response, await upstream.forward(request));
      else await turns.run(`${write.container}/${write.name}`, () => handleWrite(request, response, write, queue));
    } catch (error) {
      refuse(response, 503, 'ServerBusy', diskRefusal(error) ?? 'The blob service cannot be reached.');
    }
  };

  const server = httpServer(options.keyless, (request, response) => {
    drainAfter(response, request);
    void handle(request, response);
  });
  // well above the pauses of SDK connection pools: closing a connection that a request is about to use looks like a fault
  server.keepAliveTimeout = 65_000;
  return {
    server,
    deliveredCount: () => delivered,
    resume: () => later.start(),
    async close(limitMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await withinLimit(
        Promise.all([turns.all(), later.stop()]).then(() => undefined),
        limitMs,
      ).catch(() => undefined);
      server.closeAllConnections();
      await closed;
    },
  };
}
