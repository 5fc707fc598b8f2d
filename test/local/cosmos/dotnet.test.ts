/** What the .NET SDK asks for and the JavaScript SDK never does, on the wire: it was seen there against this endpoint. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { type CosmosService, startCosmos } from '../../../local/cosmos/server.ts';

let cosmos: CosmosService;
beforeAll(async () => {
  const containers = { items: { partitionKey: '/pk', ttlSeconds: null } };
  cosmos = await startCosmos({ port: 0, dataDir: ':memory:', database: 'db', containers });
});
afterAll(() => cosmos.close());

interface Sent {
  method?: string;
  path: string;
  type: string;
  /** what is signed */
  link: string;
  headers?: Record<string, string>;
  body?: string;
}

async function send({ method = 'GET', path, type, link, headers = {}, body }: Sent): Promise<Response> {
  const date = new Date().toUTCString().toLowerCase();
  const signed = `${method.toLowerCase()}\n${type}\n${link}\n${date}\n\n`;
  const signature = createHmac('sha256', Buffer.from(cosmos.key, 'base64')).update(signed).digest('base64');
  const authorization = encodeURIComponent(`type=master&ver=1.0&sig=${signature}`);
  return fetch(`${cosmos.endpoint}/${path}`, {
    method,
    headers: { authorization, 'x-ms-date': date, ...headers },
    ...(body === undefined ? {} : { body }),
  });
}

async function rids(): Promise<{ database: string; container: string }> {
  const answer = await send({ path: 'dbs/db/colls/items', type: 'colls', link: 'dbs/db/colls/items' });
  const self = z.object({ _self: z.string() }).parse(await answer.json())._self;
  const [, database = '', , container = ''] = self.split('/');
  return { database, container };
}

test('partition key ranges are read by resource id, signed with the last of them, until nothing is new', async () => {
  const { database, container } = await rids();
  const path = `dbs/${encodeURIComponent(database)}/colls/${encodeURIComponent(container)}/pkranges`;
  const ranges = { path, type: 'pkranges', link: container.toLowerCase() };
  const first = await send({ ...ranges, headers: { 'a-im': 'Incremental feed' } });
  expect(first.status).toBe(200);
  expect(await first.json()).toMatchObject({ PartitionKeyRanges: [{ id: '0', minInclusive: '', maxExclusive: 'FF' }] });
  const etag = first.headers.get('etag') ?? '';
  const second = await send({ ...ranges, headers: { 'a-im': 'Incremental feed', 'if-none-match': etag } });
  expect(second.status).toBe(304);
  expect((await send({ ...ranges, link: database.toLowerCase() })).status).toBe(401);
});

test('a change feed that has nothing new says that it has nothing', async () => {
  const headers = { 'a-im': 'Incremental Feed', 'x-ms-documentdb-partitionkey': '["nobody"]' };
  const answer = await send({ path: 'dbs/db/colls/items/docs', type: 'docs', link: 'dbs/db/colls/items', headers });
  expect([answer.status, answer.headers.get('x-ms-item-count')]).toEqual([304, '0']);
});

test('the plan of an aggregate names everything that is selected, in order', async () => {
  const headers = {
    'content-type': 'application/query+json',
    'x-ms-documentdb-isquery': 'True',
    'x-ms-cosmos-is-query-plan-request': 'True',
  };
  const body = JSON.stringify({ query: 'SELECT c.pk, COUNT(1) AS many, MAX(c.n) AS most FROM c GROUP BY c.pk' });
  const docs = { path: 'dbs/db/colls/items/docs', type: 'docs', link: 'dbs/db/colls/items' };
  const answer = await send({ ...docs, method: 'POST', headers, body });
  expect(await answer.json()).toMatchObject({
    queryInfo: {
      groupByAliases: ['pk', 'many', 'most'],
      groupByAliasToAggregateType: { pk: null, many: 'Count', most: 'Max' },
    },
  });
});
