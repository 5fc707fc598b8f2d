/**
 * Cosmos DB for NoSQL as its gateway answers, over one SQLite file: documents, batches, queries, change feed.
 * Alone: `node local/cosmos/server.ts --port 8081 --data DIR`. Plain HTTP on loopback, with the emulator's published key.
 * Protocol: https://learn.microsoft.com/rest/api/cosmos-db/ and what the SDKs send.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { databaseName, documentContainers } from '../../shared/resources.ts';
import { httpServer, type Keyless, scheme } from '../identity/keyless.ts';
import { diskRefusal } from '../disk.ts';
import { listen, loopback } from '../listen.ts';
import { authorizeByKey, authorizeByToken, emulatorKey } from './authorization.ts';
import { badRequest, Failure } from './failure.ts';
import { declaredPolicy } from './indexes.ts';
import { openResources } from './resources.ts';
import { type Answer, type Request, routes } from './routes.ts';
import { Store } from './store.ts';
import { readArguments } from '../read-arguments.ts';

/** a batch of the largest kind, with room for its envelope */
const maxBodyBytes = 4 * 1024 * 1024;
/** longer than the SDK keeps an idle socket, so that it is the one to close it */
const keepAliveMs = 65_000;

export interface DeclaredContainer {
  partitionKey: string;
  ttlSeconds: number | null;
  /** fields with an index; everything has one where this is not said */
  indexed?: readonly string[];
  /** fields that documents are ordered by, with the id breaking ties */
  orders?: readonly string[];
}

export interface CosmosOptions {
  /** 0 picks any free port */
  port: number;
  host?: string;
  /** folder, made when missing; or `:memory:` */
  dataDir: string;
  /** created at start, with its containers, unless there; a changed time to live and changed indexes are taken over */
  database: string;
  containers: Record<string, DeclaredContainer>;
  /** base64; else the published one of every emulator */
  key?: string;
  /** TLS and tokens instead of the key */
  keyless?: Keyless;
}

export interface CosmosService {
  port: number;
  endpoint: string;
  key: string;
  close(): Promise<void>;
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      // the rest is read and dropped: the client sends all before it reads the answer
      if (size <= maxBodyBytes) chunks.push(chunk);
    });
    request.on('end', () => {
      if (size > maxBodyBytes) reject(new Failure(413, 'Request size is too large'));
      else resolve(Buffer.concat(chunks));
    });
    request.on('error', reject);
  });
}

function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw badRequest('The request body is not JSON');
  }
}

function segmentsOf(url: string): string[] {
  try {
    return (url.split('?', 1)[0] ?? '')
      .split('/')
      .filter((segment) => segment !== '')
      .map((segment) => decodeURIComponent(segment));
  } catch {
    throw badRequest('The path is not valid');
  }
}

function unexpected(error: unknown): Failure {
  const refusal = diskRefusal(error);
  return refusal === undefined ? new Failure(500, `Internal error: ${String(error)}`) : new Failure(503, refusal);
}

function failed(error: unknown): Answer {
  const failure = error instanceof Failure ? error : unexpected(error);
  if (failure !== error) console.error('cosmos:', error);
  const { status, code, message, substatus, details } = failure;
  return {
    status,
    headers: substatus === undefined ? {} : { 'x-ms-substatus': String(substatus) },
    body: JSON.stringify({ code, message, ...details }),
  };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const hasBody = body !== undefined && status !== 204 && status !== 304;
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-ms-activity-id': randomUUID(),
    'x-ms-request-charge': '1',
    'x-ms-version': '2020-07-15',
    ...headers,
    ...(hasBody ? { 'content-length': Buffer.byteLength(body) } : {}),
  });
  response.end(hasBody ? body : undefined);
}

function createInitial(resources: ReturnType<typeof openResources>, store: Store, options: CosmosOptions): void {
  if (!store.databases().some(({ id }) => id === options.database)) resources.createDatabase({ id: options.database });
  for (const [id, { partitionKey, ttlSeconds, indexed, orders }] of Object.entries(options.containers)) {
    const definition = {
      id,
      partitionKey: { paths: [partitionKey], kind: 'Hash', version: 2 },
      ...(ttlSeconds === null ? {} : { defaultTtl: ttlSeconds }),
      ...(indexed === undefined ? {} : { indexingPolicy: declaredPolicy(indexed, orders ?? []) }),
    };
    const existing = store.containers(resources.database(options.database)).find((container) => container.id === id);
    if (existing === undefined) resources.createContainer(options.database, definition);
    else if (
      existing.definition.defaultTtl !== (ttlSeconds ?? undefined) ||
      JSON.stringify(existing.definition.indexingPolicy) !== JSON.stringify(definition.indexingPolicy)
    ) {
      resources.replaceContainer(options.database, id, definition);
    }
  }
}

/**
 * Starts the endpoint with its database and containers. A write is answered after its commit; it survives kill -9
 * (see store.ts). Throws when the port is taken or the file cannot be opened.
 */
export async function startCosmos(options: CosmosOptions): Promise<CosmosService> {
  const host = options.host ?? loopback;
  const store = new Store(options.dataDir);
  const resources = openResources(store);
  const key = options.key ?? emulatorKey;
  const authorize = authorizeByKey(key);
  let endpoint = '';
  const answer = routes(store, resources, () => `${endpoint}/`);
  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    try {
      const body = await readBody(incoming);
      const method = incoming.method ?? 'GET';
      const request: Request = {
        method,
        segments: segmentsOf(incoming.url ?? '/'),
        headers: incoming.headers,
        body: undefined,
      };
      if (options.keyless === undefined) authorize(method, request.segments, incoming.headers);
      else authorizeByToken(options.keyless, endpoint, incoming.headers.authorization);
      send(response, answer({ ...request, body: parseBody(body) }));
    } catch (error) {
      send(response, failed(error));
    }
  };
  const server = httpServer(options.keyless, (request, response) => void handle(request, response));
  server.keepAliveTimeout = keepAliveMs;
  try {
    createInitial(resources, store, options);
    const port = await listen(server, { port: options.port, host, purpose: 'cosmos', setting: 'ports.cosmos' });
    endpoint = `${scheme(options.keyless)}://${host}:${port}`;
    const close = () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          store.close();
          resolve();
        });
        server.closeAllConnections();
      });
    return { port, endpoint, key, close };
  } catch (error) {
    store.close();
    throw error;
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = readArguments('node local/cosmos/server.ts [--port 8081] [--data DIR]', {
    options: { port: { type: 'string', default: '8081' }, data: { type: 'string', default: '.darkroom/cosmos' } },
  });
  const containers = documentContainers;
  const service = await startCosmos({
    port: Number(values.port),
    dataDir: values.data,
    database: databaseName,
    containers,
  });
  const stop = () => void service.close().then(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  console.log(`ready ${service.port}`);
}
