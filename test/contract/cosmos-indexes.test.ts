import { type Container, CosmosClient } from '@azure/cosmos';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CosmosService, startCosmos } from '../../local/cosmos/server.ts';
import { documentContainers } from '../../shared/resources.ts';

let service: CosmosService;
let runs: Container;

beforeAll(async () => {
  service = await startCosmos({ port: 0, dataDir: ':memory:', database: 'db', containers: documentContainers });
  const { endpoint, key } = service;
  const client = new CosmosClient({ endpoint, key, connectionPolicy: { enableEndpointDiscovery: false } });
  runs = client.database('db').container('runs');
  for (const [id, createdAt] of ['2', '1', '1'].entries())
    await runs.items.create({ id: `r${id}`, pk: 'p', createdAt });
});
afterAll(() => service.close());

const ids = async (order: string, partitionKey?: string): Promise<string[]> => {
  const options = partitionKey === undefined ? {} : { partitionKey };
  const { resources } = await runs.items
    .query<string>(`SELECT VALUE c.id FROM c ORDER BY ${order}`, options)
    .fetchAll();
  return resources;
};

describe('an order that the templates make an index for', () => {
  test('is served, and so is its reverse', async () => {
    expect(await ids('c.createdAt ASC, c.id ASC', 'p')).toEqual(['r1', 'r2', 'r0']);
    expect(await ids('c.createdAt DESC, c.id DESC')).toEqual(['r0', 'r2', 'r1']);
    expect(await ids('c.createdAt')).toHaveLength(3);
    expect(await ids('c.id')).toEqual(['r0', 'r1', 'r2']);
  });
});

describe('an order that they make none for is refused, as by Azure', () => {
  test.each([
    ['c.createdAt ASC, c.id DESC', 'composite index'],
    ['c.id, c.createdAt', 'composite index'],
    ['c.state', 'excluded'],
    ['c.createdAt, c.state', 'excluded'],
  ])('%s', async (order, message) => {
    await expect(ids(order, 'p')).rejects.toThrow(message);
    await expect(ids(order)).rejects.toMatchObject({ code: 400 });
  });
});
