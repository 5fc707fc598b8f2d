/** The local Cosmos DB (NoSQL): the gateway's REST surface that the SDK uses, over SQLite, on loopback. */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { databaseName, documentContainers } from '../../shared/resources.ts';
import {
  type Container,
  type Item,
  ItemStore,
  type Operation,
  type Outcome,
  partitionOf,
  Refusal,
} from './database.ts';
import { allItems, type Query, queryPlan, runQuery } from './sql.ts';

/** The key that every Cosmos DB emulator has; no secret. */
const emulatorKey = 'C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==';
const maxBodyBytes = 4 * 1024 * 1024;
const maxBatch = 100;

export interface CosmosOptions {
  port: number;
  host?: string;
  dataDir: string;
  database: string;
  containers: Record<string, { partitionKey: string; ttlSeconds: number | null }>;
}

export interface LocalCosmos {
  port: number;
  endpoint: string;
  key: string;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

interface Call {
  method: string;
  parts: string[];
  headers: IncomingHttpHeaders;
  body: unknown;
}

/** Starts the endpoint; the database and its containers exist from the start, as templates make them in Azure. */
export async function startCosmos(options: CosmosOptions): Promise<LocalCosmos> {
  const store = new ItemStore(options.dataDir);
  for (const [id, { partitionKey, ttlSeconds }] of Object.entries(options.containers)) {
    if (store.containers.some((c) => c.id === id)) continue;
    store.createContainer({
      id,
      partitionKey: { paths: [partitionKey] },
      ...(ttlSeconds === null ? {} : { defaultTtl: ttlSeconds }),
    });
  }
  const host = options.host ?? '127.0.0.1';
  const server = createServer((request, response) => void serve(store, options.database, request, response));
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    endpoint: `http://${host}:${port}`,
    key: emulatorKey,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          store.close();
          resolve();
        });
      }),
  };
}

async function serve(
  store: ItemStore,
  database: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let answer: Answer;
  try {
    const parts = new URL(request.url ?? '/', 'http://local').pathname
      .split('/')
      .filter(Boolean)
      .map(decodeURIComponent);
    const text = await readBody(request);
    authorise(request, parts);
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    answer = route(
      store,
      database,
      { method: request.method ?? 'GET', parts, headers: request.headers, body },
      request.headers.host ?? '',
    );
  } catch (error) {
    answer = failed(error);
  }
  const etag = (answer.body as { _etag?: string } | undefined)?._etag;
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'x-ms-request-charge': '1',
    'x-ms-session-token': '0:-1#1',
    'x-ms-activity-id': randomUUID(),
    ...(etag === undefined ? {} : { etag }),
    ...answer.headers,
  });
  response.end(
    answer.body === undefined || answer.status === 204 || answer.status === 304
      ? undefined
      : JSON.stringify(answer.body),
  );
}

function failed(error: unknown): Answer {
  if (error instanceof Refusal) return { status: error.status, body: { code: error.code, message: error.message } };
  if (error instanceof SyntaxError || error instanceof URIError) {
    return { status: 400, body: { code: 'BadRequest', message: error.message } };
  }
  return {
    status: 500,
    body: { code: 'InternalServerError', message: error instanceof Error ? error.message : String(error) },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) throw new Refusal(413, 'RequestEntityTooLarge', 'Request size is too large.');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Master key signature, as "Access control in the Azure Cosmos DB SQL API" in the REST reference describes it. */
function authorise(request: IncomingMessage, parts: string[]): void {
  const even = parts.length % 2 === 0;
  const type = (even ? parts.at(-2) : parts.at(-1)) ?? '';
  const link = (even ? parts : parts.slice(0, -1)).join('/');
  const date = String(request.headers['x-ms-date'] ?? '').toLowerCase();
  const text = `${(request.method ?? '').toLowerCase()}\n${type}\n${link}\n${date}\n\n`;
  const expected = createHmac('sha256', Buffer.from(emulatorKey, 'base64')).update(text).digest();
  const given = /sig=(.*)$/.exec(decodeURIComponent(request.headers.authorization ?? ''))?.[1] ?? '';
  const actual = Buffer.from(given, 'base64');
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) {
    throw new Refusal(401, 'Unauthorized', "The input authorization token can't serve the request.");
  }
}

function route(store: ItemStore, database: string, call: Call, host: string): Answer {
  const { parts } = call;
  if (parts.length === 0) return { status: 200, body: account(host) };
  const [, databaseId, , containerId, kind, itemId] = parts;
  const databaseBody = {
    id: database,
    _rid: 'AQAAAA==',
    _self: `dbs/${database}/`,
    _etag: '"0"',
    _ts: 0,
    _colls: 'colls/',
  };
  if (parts.length === 1) return { status: 200, body: { _rid: '', Databases: [databaseBody], _count: 1 } };
  if (databaseId !== database) throw new Refusal(404, 'NotFound', `There is no database ${databaseId}.`);
  if (parts.length === 2) return { status: 200, body: databaseBody };
  if (parts.length === 3) return containers(store, call);
  const container = store.container(containerId ?? '');
  if (parts.length === 4) {
    if (call.method !== 'DELETE') return { status: 200, body: containerBody(container) };
    store.deleteContainer(container.id);
    return { status: 204 };
  }
  if (kind === 'pkranges') {
    const range = { id: '0', _rid: 'p0', minInclusive: '', maxExclusive: 'FF', parents: [], status: 'online' };
    return { status: 200, body: { _rid: '', PartitionKeyRanges: [range], _count: 1 } };
  }
  if (kind !== 'docs') throw new Refusal(400, 'BadRequest', `${kind} is not there in the local endpoint.`);
  return itemId === undefined ? collection(store, container, call) : single(store, container, call, itemId);
}

function account(host: string): object {
  const here = [{ name: 'local', databaseAccountEndpoint: `http://${host}/` }];
  return {
    id: 'local',
    _rid: '',
    writableLocations: here,
    readableLocations: here,
    enableMultipleWriteLocations: false,
    userConsistencyPolicy: { defaultConsistencyLevel: 'Strong' },
    userReplicationPolicy: {},
    systemReplicationPolicy: {},
    readPolicy: {},
    queryEngineConfiguration: JSON.stringify({
      maxSqlQueryInputLength: 262_144,
      sqlAllowTop: true,
      sqlAllowSubQuery: true,
    }),
  };
}

const containerBody = ({ number, id, definition }: Container): object => ({
  indexingPolicy: { indexingMode: 'consistent' },
  ...definition,
  partitionKey: { kind: 'Hash', ...definition.partitionKey },
  _rid: Buffer.from([1, 0, 0, 0, 0x80, 0, 0, number]).toString('base64'),
  _self: `dbs/local/colls/${id}/`,
  _etag: '"0"',
  _ts: 0,
  _docs: 'docs/',
});

function containers(store: ItemStore, { method, body }: Call): Answer {
  if (method === 'POST')
    return { status: 201, body: containerBody(store.createContainer(body as Container['definition'])) };
  const all = store.containers.map(containerBody);
  return { status: 200, body: { _rid: '', DocumentCollections: all, _count: all.length } };
}

const is = (headers: IncomingHttpHeaders, name: string): boolean =>
  String(headers[name] ?? '').toLowerCase() === 'true';
const text = (headers: IncomingHttpHeaders, name: string): string | undefined =>
  headers[name] === undefined ? undefined : String(headers[name]);

/** The partition a call names in its header; undefined: all of them. */
function partitionIn(headers: IncomingHttpHeaders): string | undefined {
  const value = text(headers, 'x-ms-documentdb-partitionkey');
  return value === undefined || value === '[]' ? undefined : JSON.stringify(JSON.parse(value));
}

function collection(store: ItemStore, container: Container, { method, headers, body }: Call): Answer {
  const partition = partitionIn(headers);
  if (method === 'GET') return page(allItems(store, container, partition), headers);
  if (is(headers, 'x-ms-cosmos-is-batch-request')) return batch(store, container, partition, body as BatchItem[]);
  const query = is(headers, 'x-ms-documentdb-isquery') || String(headers['content-type']).includes('query+json');
  if (query) {
    if (is(headers, 'x-ms-cosmos-is-query-plan-request')) return { status: 200, body: queryPlan };
    return page(runQuery(store, container, partition, body as Query), headers);
  }
  const item = body as Item;
  const kind = is(headers, 'x-ms-documentdb-is-upsert') ? 'Upsert' : 'Create';
  return toAnswer(
    store.apply(container, {
      kind,
      partition: partition ?? partitionOf(container, item),
      id: item.id,
      item,
      ifMatch: text(headers, 'if-match'),
    }),
  );
}

const kinds: Record<string, Operation['kind']> = { GET: 'Read', PUT: 'Replace', DELETE: 'Delete' };

function single(store: ItemStore, container: Container, { method, headers, body }: Call, id: string): Answer {
  const kind = kinds[method];
  if (kind === undefined)
    throw new Refusal(405, 'MethodNotAllowed', `${method} on items is not there in the local endpoint.`);
  const partition = partitionIn(headers);
  if (partition === undefined)
    throw new Refusal(400, 'BadRequest', 'PartitionKey value must be supplied for this operation.');
  const conditions = { ifMatch: text(headers, 'if-match'), ifNoneMatch: text(headers, 'if-none-match') };
  return toAnswer(
    store.apply(container, {
      kind,
      partition,
      id,
      ...(body === undefined ? {} : { item: body as Item }),
      ...conditions,
    }),
  );
}

const toAnswer = ({ status, item }: Outcome): Answer => ({ status, ...(item === undefined ? {} : { body: item }) });

/** One page of a result; the continuation counts what was given already. */
function page(all: unknown[], headers: IncomingHttpHeaders): Answer {
  const asked = Number(headers['x-ms-max-item-count'] ?? 100);
  const size = asked > 0 ? asked : Math.max(all.length, 1);
  const from = Number(text(headers, 'x-ms-continuation') ?? 0);
  if (!Number.isSafeInteger(from) || from < 0)
    throw new Refusal(400, 'BadRequest', 'The continuation token is not valid.');
  const part = all.slice(from, from + size);
  const more = from + size < all.length ? { 'x-ms-continuation': String(from + size) } : {};
  return {
    status: 200,
    body: { _rid: '', Documents: part, _count: part.length },
    headers: { 'x-ms-item-count': String(part.length), ...more },
  };
}

interface BatchItem {
  operationType: Operation['kind'];
  id?: string;
  resourceBody?: Item;
  ifMatch?: string;
}

/** A transactional batch: when one operation fails, nothing was done, and the others say 424. */
function batch(store: ItemStore, container: Container, partition: string | undefined, items: BatchItem[]): Answer {
  if (partition === undefined) throw new Refusal(400, 'BadRequest', 'A batch has one partition key.');
  if (items.length > maxBatch) throw new Refusal(400, 'BadRequest', `A batch has ${maxBatch} operations at most.`);
  let failedAt = -1;
  try {
    const results = store.atomically(() =>
      items.map((one, i) => {
        failedAt = i;
        const id = one.id ?? String(one.resourceBody?.id);
        const item = one.resourceBody === undefined ? {} : { item: one.resourceBody };
        const { status, item: stored } = store.apply(container, {
          kind: one.operationType,
          partition,
          id,
          ...item,
          ifMatch: one.ifMatch,
        });
        return { statusCode: status, requestCharge: 1, eTag: stored?.['_etag'], resourceBody: stored };
      }),
    );
    return { status: 200, body: results };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const results = items.map((_, i) => ({ statusCode: i === failedAt ? error.status : 424, requestCharge: 0 }));
    return { status: 207, body: results };
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '8081' }, data: { type: 'string', default: '.darkroom' } },
  });
  const dataDir = path.join(values.data, 'cosmos');
  const cosmos = await startCosmos({
    port: Number(values.port),
    dataDir,
    database: databaseName,
    containers: documentContainers,
  });
  console.log(`ready ${cosmos.port}`);
  const stop = (): void => void cosmos.close().then(() => process.exit(0));
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
