/** Where the contract tests run: the local endpoint, or an account (COSMOS_TEST_ENDPOINT, COSMOS_TEST_KEY). */
import { randomUUID } from 'node:crypto';
import { type Container, CosmosClient, type Database, type SqlQuerySpec } from '@azure/cosmos';
import { startCosmos } from '../../local/cosmos/server.ts';

const account = { endpoint: process.env['COSMOS_TEST_ENDPOINT'], key: process.env['COSMOS_TEST_KEY'] };
const isLocal = account.endpoint === undefined;

/** A client that goes nowhere but to this endpoint, and does not repeat what was refused. */
export const connect = (endpoint: string, key: string): CosmosClient =>
  new CosmosClient({
    endpoint,
    key,
    connectionPolicy: { enableEndpointDiscovery: false, retryOptions: { maxRetryAttemptCount: 0 } },
  });

export interface TestAccount {
  endpoint: string;
  client: CosmosClient;
  database: Database;
  /** partitioned by `/pk`; documents expire by their own `ttl` only */
  items: Container;
  /** results of a query, read on pages of 3 */
  query: (text: string | SqlQuerySpec, partitionKey?: string) => Promise<unknown[]>;
  close(): Promise<void>;
}

/** Opens a database of its own with one container; `close` deletes it. */
export async function openAccount(): Promise<TestAccount> {
  const id = `contract-${randomUUID()}`;
  const service = isLocal
    ? await startCosmos({ port: 0, dataDir: ':memory:', database: id, containers: {} })
    : undefined;
  const endpoint = account.endpoint ?? service?.endpoint ?? '';
  const client = connect(endpoint, account.key ?? service?.key ?? '');
  const { database } = await client.databases.createIfNotExists({ id });
  const { container: items } = await database.containers.createIfNotExists({
    id: 'items',
    partitionKey: '/pk',
    defaultTtl: -1,
  });
  return {
    endpoint,
    client,
    database,
    items,
    async query(text, partitionKey) {
      const options = { maxItemCount: 3, ...(partitionKey === undefined ? {} : { partitionKey }) };
      return (await items.items.query<unknown>(text, options).fetchAll()).resources;
    },
    async close() {
      await database.delete();
      client.dispose();
      await service?.close();
    },
  };
}
