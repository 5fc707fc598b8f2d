import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Container, CosmosClient } from '@azure/cosmos';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCosmos, startCosmos } from '../../local/cosmos/server.ts';

let folder: string;
let cosmos: LocalCosmos;
let items: Container;
const options = { connectionPolicy: { enableEndpointDiscovery: false } };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cosmos-'));
  const containers = {
    items: { partitionKey: '/pk', ttlSeconds: null },
    brief: { partitionKey: '/pk', ttlSeconds: 1 },
  };
  cosmos = await startCosmos({ port: 0, dataDir: folder, database: 'test', containers });
  items = new CosmosClient({ endpoint: cosmos.endpoint, key: cosmos.key, ...options })
    .database('test')
    .container('items');
});
afterAll(async () => {
  await cosmos.close();
  await rm(folder, { recursive: true });
});

const all = async <T>(
  query: string,
  parameters: { name: string; value: string | number | null | boolean }[] = [],
  pk?: string,
): Promise<T[]> =>
  (await items.items.query<T>({ query, parameters }, pk === undefined ? {} : { partitionKey: pk }).fetchAll())
    .resources;

describe('items', () => {
  test('are created once, read, replaced and deleted', async () => {
    const created = await items.items.create({ id: 'a', pk: 'one', n: 1, deep: { x: [1, 'é'] } });
    expect(created.resource).toMatchObject({ id: 'a', n: 1, deep: { x: [1, 'é'] } });
    await expect(items.items.create({ id: 'a', pk: 'one' })).rejects.toMatchObject({ code: 409 });
    expect((await items.item('a', 'two').read()).resource).toBeUndefined();
    await items.item('a', 'one').replace({ id: 'a', pk: 'one', n: 2 });
    expect((await items.item('a', 'one').read<{ n: number }>()).resource?.n).toBe(2);
    await items.item('a', 'one').delete();
    expect((await items.item('a', 'one').read()).statusCode).toBe(404);
  });

  test('are replaced only in the state that the etag names', async () => {
    const { resource } = await items.items.create({ id: 'b', pk: 'one', n: 1 });
    const condition = { accessCondition: { type: 'IfMatch', condition: resource?._etag ?? '' } };
    await items.item('b', 'one').replace({ id: 'b', pk: 'one', n: 2 }, condition);
    await expect(items.item('b', 'one').replace({ id: 'b', pk: 'one', n: 3 }, condition)).rejects.toMatchObject({
      code: 412,
    });
    await expect(items.item('b', 'one').delete(condition)).rejects.toMatchObject({ code: 412 });
  });

  test('change together or not at all in a batch', async () => {
    const create = (id: string) => ({ operationType: 'Create' as const, resourceBody: { id, pk: 'batch' } });
    expect((await items.items.batch([create('x'), create('y')], 'batch')).code).toBe(200);
    const failed = await items.items.batch([create('z'), create('x')], 'batch');
    expect(failed.result?.map((r) => r.statusCode)).toEqual([424, 409]);
    expect((await items.item('z', 'batch').read()).statusCode).toBe(404);
  });

  test('are refused when they are too large, lack an id or lie in another partition', async () => {
    await expect(items.items.create({ id: 'big', pk: 'one', text: 'x'.repeat(2_100_000) })).rejects.toMatchObject({
      code: 413,
    });
    await expect(items.items.create({ id: 'a/b', pk: 'one' })).rejects.toThrow();
  });

  test('expire when their container says so', async () => {
    const brief = items.database.container('brief');
    await brief.items.create({ id: 'soon', pk: 'p' });
    await brief.items.create({ id: 'kept', pk: 'p', ttl: -1 });
    await expect.poll(async () => (await brief.item('soon', 'p').read()).statusCode, { timeout: 4000 }).toBe(404);
    expect((await brief.item('kept', 'p').read()).statusCode).toBe(200);
  });
});

describe('queries', () => {
  beforeAll(async () => {
    for (let n = 0; n < 12; n++) {
      await items.items.create({
        id: `q${n}`,
        pk: n % 2 ? 'odd' : 'even',
        kind: 'q',
        n,
        done: n > 5,
        label: n === 3 ? null : `l${n}`,
      });
    }
  });

  test('match on equality, null and booleans, in one partition and across', async () => {
    const equals = (name: string) => `SELECT * FROM c WHERE c.kind = @k AND c.${name} = @v`;
    const k = { name: '@k', value: 'q' };
    expect(await all(equals('n'), [k, { name: '@v', value: 4 }])).toHaveLength(1);
    expect(await all(equals('n'), [k, { name: '@v', value: '4' }])).toHaveLength(0);
    expect(await all(equals('label'), [k, { name: '@v', value: null }])).toHaveLength(1);
    expect(await all(equals('done'), [k, { name: '@v', value: true }], 'odd')).toHaveLength(3);
    expect(await all(equals('missing'), [k, { name: '@v', value: null }])).toHaveLength(0);
  });

  test('order, skip and limit', async () => {
    const found = await all<{ n: number }>('SELECT * FROM c WHERE c.kind = @k ORDER BY c.n DESC OFFSET 2 LIMIT 3', [
      { name: '@k', value: 'q' },
    ]);
    expect(found.map((f) => f.n)).toEqual([9, 8, 7]);
  });

  test('count', async () => {
    expect(await all('SELECT VALUE COUNT(1) FROM c WHERE c.kind = @k', [{ name: '@k', value: 'q' }], 'even')).toEqual([
      6,
    ]);
  });

  test('page with a continuation', async () => {
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const options = {
        partitionKey: 'odd',
        maxItemCount: 2,
        ...(token === undefined ? {} : { continuationToken: token }),
      };
      const page = await items.items.query<{ id: string }>('SELECT * FROM c', options).fetchNext();
      seen.push(...page.resources.map((r) => r.id));
      token = page.continuationToken || undefined;
    } while (token !== undefined);
    expect(seen.sort()).toEqual(['q1', 'q11', 'q3', 'q5', 'q7', 'q9']);
  });

  test('of other shapes go through the query parser, and nonsense is a 400', async () => {
    const names = await all<string>(
      "SELECT VALUE c.id FROM c WHERE c.kind = 'q' AND (c.n = 1 OR STARTSWITH(c.label, 'l1'))",
      [],
      'odd',
    );
    expect(names.sort()).toEqual(['q1', 'q11']);
    await expect(all('SELEKT nothing', [], 'odd')).rejects.toMatchObject({ code: 400 });
  });
});

test('a wrong key is refused', async () => {
  const key = Buffer.from('wrong').toString('base64');
  const stranger = new CosmosClient({ endpoint: cosmos.endpoint, key, ...options });
  await expect(stranger.database('test').container('items').item('a', 'one').read()).rejects.toMatchObject({
    code: 401,
  });
});

test('every acknowledged write survives kill -9', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const address = probe.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => probe.close(resolve));
  const start = (): Promise<ChildProcess> =>
    new Promise((resolve, reject) => {
      const args = ['local/cosmos/server.ts', '--port', String(port), '--data', path.join(folder, 'killed')];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout.on('data', (chunk: Buffer) => chunk.toString().startsWith('ready') && resolve(child));
      child.on('error', reject);
    });
  const kill = (child: ChildProcess): Promise<void> =>
    new Promise((resolve) => {
      child.on('exit', () => resolve());
      child.kill('SIGKILL');
    });
  const first = await start();
  const runs = new CosmosClient({ endpoint: `http://127.0.0.1:${port}`, key: cosmos.key, ...options })
    .database('darkroom')
    .container('runs');
  for (let n = 0; n < 50; n++) await runs.items.create({ id: `r${n}`, pk: 'p' });
  await kill(first);
  const second = await start();
  const { resources } = await runs.items
    .query<number>('SELECT VALUE COUNT(1) FROM c', { partitionKey: 'p' })
    .fetchAll();
  expect(resources).toEqual([50]);
  await kill(second);
});
