/** The adapter before a service that answers empty pages, as Cosmos DB does where a query crosses partitions. */
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import { CosmosClient } from '@azure/cosmos';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CosmosService, startCosmos } from '../../../local/cosmos/server.ts';
import { listen, loopback } from '../../../local/listen.ts';
import { cosmosDocuments } from '../../../shared/azure/documents.ts';
import type { Documents } from '../../../shared/ports.ts';

let service: CosmosService;
let proxy: Server;
let client: CosmosClient;
let documents: Documents;
/** how many pages of queries are empty from now on */
let empty = 0;
let queries = 0;

const madeUp = 'nothing-so-far-';

/** Hands requests on; a query gets an empty page that goes on while there are some to give. */
function handle(request: IncomingMessage, response: ServerResponse): void {
  const { method, url = '/', headers } = request;
  const isPlan = headers['x-ms-cosmos-is-query-plan-request'] !== undefined;
  const isQuery = headers['content-type'] === 'application/query+json' && url.endsWith('/docs') && !isPlan;
  if (isQuery) queries++;
  if (isQuery && empty > 0) {
    const page = '{"_rid":"","Documents":[],"_count":0}';
    response.writeHead(200, { 'content-type': 'application/json', 'x-ms-continuation': `${madeUp}${empty--}` });
    response.end(page);
    request.resume();
    return;
  }
  if (String(headers['x-ms-continuation']).startsWith(madeUp)) delete headers['x-ms-continuation'];
  const { hostname, port } = new URL(service.endpoint);
  const onward = httpRequest({ hostname, port, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.once('error', () => request.socket.destroy());
  request.pipe(onward);
}

beforeAll(async () => {
  service = await startCosmos({
    port: 0,
    dataDir: ':memory:',
    database: 'darkroom',
    containers: { staged: { partitionKey: '/pk', ttlSeconds: null } },
  });
  proxy = createServer(handle);
  const port = await listen(proxy, { port: 0, host: loopback, purpose: 'a proxy', setting: 'none' });
  client = new CosmosClient({
    endpoint: `http://${loopback}:${port}`,
    key: service.key,
    connectionPolicy: { enableEndpointDiscovery: false, retryOptions: { maxRetryAttemptCount: 0 } },
  } as ConstructorParameters<typeof CosmosClient>[0] & object);
  documents = cosmosDocuments(client.database('darkroom'));
  for (const id of ['a', 'b', 'c'])
    await documents.create('staged', { id, pk: 'p', stagedAt: '2026-01-01T00:00:00Z', revision: 1 });
});
beforeEach(() => {
  empty = 0;
  queries = 0;
});
afterAll(async () => {
  client.dispose();
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
  await service.close();
});

test.each([{ pk: 'p' }, {}])('a query finds what lies behind empty pages: %o', async (where) => {
  empty = 3;
  const found = await documents.query('staged', { ...where, equals: { id: 'b' }, limit: 1 });
  expect(found.items.map(({ document }) => document.id)).toEqual(['b']);
  expect(empty).toBe(0);
});

test('a listing still comes on pages of the asked size', async () => {
  empty = 1;
  const { items, continuation } = await documents.query('staged', { pk: 'p', limit: 2 });
  expect(items).toHaveLength(2);
  expect(queries).toBe(2);
  const next = continuation === undefined ? {} : { continuation };
  expect((await documents.query('staged', { pk: 'p', limit: 2, ...next })).items).toHaveLength(1);
});

test('a query that finds only empty pages ends, and can be gone on with', async () => {
  empty = 150;
  const first = await documents.query('staged', { pk: 'p', limit: 10 });
  expect(first.items).toEqual([]);
  expect(queries).toBe(100);
  const { continuation = '' } = first;
  expect(continuation).toBe(`${madeUp}51`);
  expect((await documents.query('staged', { pk: 'p', limit: 10, continuation })).items).toHaveLength(3);
});

test('a document is stored with the version of its form, which nobody sees who reads it; one without has the first', async () => {
  const container = client.database('darkroom').container('staged');
  const old = { id: 'old', pk: 'versions', stagedAt: '2026-01-01T00:00:00Z', revision: 1 };
  await container.items.create(old);
  expect((await documents.read('staged', 'versions', 'old'))?.document).toEqual(old);
  const { etag = '' } = (await documents.read('staged', 'versions', 'old')) ?? {};
  await documents.replace('staged', old, etag);
  await documents.create('staged', { ...old, id: 'new' });
  await documents.batch('staged', 'versions', [{ kind: 'create', document: { ...old, id: 'batched' } }]);
  for (const id of ['old', 'new', 'batched']) {
    expect((await container.item(id, 'versions').read<{ v?: number }>()).resource?.v).toBe(1);
    expect((await documents.read('staged', 'versions', id))?.document).toEqual({ ...old, id });
  }
});

test('a document that a newer release wrote is not read, and so not written over', async () => {
  const newer = { id: 'newer', pk: 'newer', stagedAt: '2026-01-01T00:00:00Z', revision: 1, v: 2 };
  await client.database('darkroom').container('staged').items.create(newer);
  const reads = [documents.read('staged', 'newer', 'newer'), documents.query('staged', { pk: 'newer', limit: 10 })];
  for (const read of reads)
    await expect(read).rejects.toMatchObject({
      name: 'RetryLater',
      code: 'newer-document',
      message:
        'document newer of staged has version 2, and this release reads up to 1: a newer one wrote it. Deploy that release again.',
    });
});
