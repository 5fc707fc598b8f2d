/**
 * What a job sees of blob storage: signed addresses on loopback that answer as Azure's do
 * (https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes), and trouble on demand.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface Asked {
  method: string;
  path: string;
  /** how often this was asked for, from 1 */
  nth: number;
}

/** An answer in place of the true one; `before` and `after`: the connection ends unanswered, the request carried out or not. */
export type Trouble = { status: number; code: string } | { lost: 'before' | 'after' };

export interface Answered extends Asked {
  status: number;
  /** of an answer that says no: why, in storage's words */
  code: string;
  /** whether it was made to go wrong */
  troubled: boolean;
  atMs: number;
}

export interface Storage {
  base: string;
  blobs: Map<string, Buffer>;
  /** every answer, in order; the status of one that was lost is 0 */
  answers: Answered[];
  /** what goes wrong with a request, which may also wait here; replaced by whoever wants trouble */
  trouble: (asked: Asked) => Trouble | undefined | Promise<Trouble | undefined>;
  /** the answer to a PUT of a blob that is there: at first, that an address may only create */
  refusal: { status: number; code: string };
  /** An address by which a blob can be read, or created, or any blob whose name begins so be created. */
  sign(path: string, permission: 'read' | 'create' | 'create-any', expiresAt: Date): string;
  close(): Promise<void>;
}

export const passing: Trouble = { status: 503, code: 'ServerBusy' };

const letters = { read: 'r', create: 'c', 'create-any': 'ca' };
/** more than any output of a trainer has */
const maxBodyBytes = 512 * 1024 * 1024;

/** Answers one request at a time, with a pause after each: for pictures that come slowly. */
export function paced(milliseconds: number): () => Promise<void> {
  let turn = Promise.resolve();
  return () => (turn = turn.then(() => pause(milliseconds)));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > maxBodyBytes) throw new Error('a body larger than any output');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Serves on loopback. */
export async function startStorage(): Promise<Storage> {
  const key = randomBytes(32);
  const counts = new Map<string, number>();
  const signature = (path: string, permission: string, expires: string): string =>
    createHmac('sha256', key).update(`${path}\n${permission}\n${expires}`).digest('base64');

  const storage: Storage = {
    base: '',
    blobs: new Map(),
    answers: [],
    trouble: () => undefined,
    refusal: { status: 403, code: 'UnauthorizedBlobOverwrite' },
    sign(path, permission, expiresAt) {
      const expires = expiresAt.toISOString();
      const signed = permission === 'create-any' ? path.slice(0, path.lastIndexOf('/') + 1) : path;
      const query = new URLSearchParams({ sv: '2025-11-05', se: expires, sp: letters[permission] });
      query.set('sig', signature(signed, letters[permission], expires));
      return `${storage.base}${path}?${query.toString()}`;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  /** Why an address does not count for this, as storage says it. */
  const unsigned = (method: string, url: URL): Trouble | undefined => {
    const [permission, expires, given] = ['sp', 'se', 'sig'].map((name) => url.searchParams.get(name) ?? '');
    const path = decodeURIComponent(url.pathname);
    const signed = permission === 'ca' ? path.slice(0, path.lastIndexOf('/') + 1) : path;
    if (given !== signature(signed, permission ?? '', expires ?? '') || Date.parse(expires ?? '') < Date.now())
      return { status: 403, code: 'AuthenticationFailed' };
    const needed = method === 'PUT' ? 'c' : 'r';
    return permission?.includes(needed) ? undefined : { status: 403, code: 'AuthorizationPermissionMismatch' };
  };

  const put = (path: string, { headers }: IncomingMessage, body: Buffer): { status: number; code: string } => {
    if (headers['content-length'] === undefined) return { status: 411, code: 'MissingContentLengthHeader' };
    if (headers['x-ms-blob-type'] !== 'BlockBlob' || headers['if-none-match'] !== '*')
      return { status: 400, code: 'MissingRequiredHeader' };
    if (storage.blobs.has(path)) return storage.refusal;
    storage.blobs.set(path, body);
    return { status: 201, code: '' };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', storage.base);
    const method = request.method ?? '';
    const path = decodeURIComponent(url.pathname);
    const nth = (counts.get(`${method} ${path}`) ?? 0) + 1;
    counts.set(`${method} ${path}`, nth);
    const keep = (status: number, code: string, troubled: boolean): void =>
      void storage.answers.push({ method, path, nth, status, code, troubled, atMs: performance.now() });
    const send = (
      status: number,
      code: string,
      { body, troubled = false }: { body?: Buffer; troubled?: boolean } = {},
    ) => {
      keep(status, code, troubled);
      response.writeHead(status, code === '' ? {} : { 'x-ms-error-code': code });
      response.end(body ?? (code === '' ? undefined : `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`));
    };
    const lose = (): void => {
      keep(0, '', true);
      request.socket.destroy();
    };
    const body = await bodyOf(request);
    const trouble = await storage.trouble({ method, path, nth });
    if (trouble !== undefined && 'status' in trouble) return send(trouble.status, trouble.code, { troubled: true });
    if (trouble?.lost === 'before') return lose();
    const refused = unsigned(method, url);
    if (refused !== undefined && 'status' in refused) return send(refused.status, refused.code);
    if (method === 'PUT') {
      const { status, code } = put(path, request, body);
      return trouble?.lost === 'after' ? lose() : send(status, code);
    }
    const blob = storage.blobs.get(path);
    if (blob === undefined) return send(404, 'BlobNotFound');
    send(200, '', { body: blob });
  };

  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  storage.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return storage;
}
