/** What the real SDK finds in databases, containers and documents. */
import { BulkOperationType, type Container, type CosmosClient, type Database } from '@azure/cosmos';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, openAccount, type TestAccount } from './cosmos-account.ts';

let account: TestAccount;
let client: CosmosClient;
let database: Database;
let items: Container;
let query: TestAccount['query'];
beforeAll(async () => {
  account = await openAccount();
  ({ client, database, items, query } = account);
});
afterAll(() => account.close());

const ifMatch = (condition: string) => ({ accessCondition: { type: 'IfMatch', condition } });

describe('databases and containers', () => {
  test('are created once, listed, read and deleted', async () => {
    await expect(database.containers.create({ id: 'items', partitionKey: '/pk' })).rejects.toMatchObject({ code: 409 });
    const { container } = await database.containers.create({ id: 'other', partitionKey: '/pk' });
    await container.items.create({ id: '1', pk: 'p' });
    const { resources } = await database.containers.readAll().fetchAll();
    expect(resources.map(({ id }) => id).sort()).toEqual(['items', 'other']);
    expect(
      (await database.containers.query<string>({ query: 'SELECT VALUE r.id FROM r WHERE r.id = "other"' }).fetchAll())
        .resources,
    ).toEqual(['other']);
    await container.delete();
    await expect(container.read()).rejects.toMatchObject({ code: 404 });
    expect((await client.databases.readAll().fetchAll()).resources.map(({ id }) => id)).toContain(database.id);
    await expect(client.database('none').read()).rejects.toMatchObject({ code: 404 });
  });

  test('have resource ids that contain their parents', async () => {
    const { resource: parent } = await database.read();
    const { resource: container } = await items.read();
    const { resource: document } = await items.items.create({ id: 'rid', pk: 'p' });
    const bytes = (rid: string | undefined) => Buffer.from((rid ?? '').replaceAll('-', '/'), 'base64');
    expect(bytes(parent?._rid)).toHaveLength(4);
    expect(bytes(container?._rid)).toHaveLength(8);
    expect(bytes(document?._rid)).toHaveLength(16);
    expect(bytes(document?._rid).subarray(0, 8)).toEqual(bytes(container?._rid));
    expect(bytes(container?._rid).subarray(0, 4)).toEqual(bytes(parent?._rid));
    expect(document?._self).toBe(`dbs/${parent?._rid}/colls/${container?._rid}/docs/${document?._rid}/`);
  });
});

describe('documents', () => {
  test('are created once per partition, read, replaced, upserted and deleted', async () => {
    const created = await items.items.create({ id: 'a', pk: 'one', n: 1, deep: { x: [1, 'é😀'] } });
    expect(created.resource).toMatchObject({ id: 'a', deep: { x: [1, 'é😀'] } });
    expect(created.etag).toBe(created.resource?._etag);
    expect(created.requestCharge).toBeGreaterThan(0);
    await expect(items.items.create({ id: 'a', pk: 'one' })).rejects.toMatchObject({ code: 409 });
    await items.items.create({ id: 'a', pk: 'two' });
    expect((await items.item('a', 'three').read()).statusCode).toBe(404);
    const replaced = await items.item('a', 'one').replace({ id: 'a', pk: 'one', n: 2 });
    expect(replaced.resource).toMatchObject({ n: 2, _rid: created.resource?._rid });
    expect((await items.items.upsert({ id: 'a', pk: 'one', n: 3 })).statusCode).toBe(200);
    expect((await items.items.upsert({ id: 'new', pk: 'one' })).statusCode).toBe(201);
    expect((await items.item('a', 'one').read<{ n: number }>()).resource?.n).toBe(3);
    expect((await items.item('a', 'one').delete()).statusCode).toBe(204);
    expect((await items.item('a', 'one').read()).resource).toBeUndefined();
    await expect(items.item('a', 'one').delete()).rejects.toMatchObject({ code: 404 });
    await expect(items.item('a', 'one').replace({ id: 'a', pk: 'one' })).rejects.toMatchObject({ code: 404 });
  });

  test('are changed only in the state that the etag names', async () => {
    const { etag } = await items.items.create({ id: 'b', pk: 'one', n: 1 });
    const item = items.item('b', 'one');
    expect((await item.read({ accessCondition: { type: 'IfNoneMatch', condition: etag } })).statusCode).toBe(304);
    await item.replace({ id: 'b', pk: 'one', n: 2 }, ifMatch(etag));
    await expect(item.replace({ id: 'b', pk: 'one', n: 3 }, ifMatch(etag))).rejects.toMatchObject({ code: 412 });
    await expect(items.items.upsert({ id: 'b', pk: 'one' }, ifMatch(etag))).rejects.toMatchObject({ code: 412 });
    await expect(item.patch([{ op: 'set', path: '/n', value: 9 }], ifMatch(etag))).rejects.toMatchObject({ code: 412 });
    await expect(item.delete(ifMatch(etag))).rejects.toMatchObject({ code: 412 });
    await item.replace({ id: 'b', pk: 'one', n: 4 }, ifMatch('*'));
  });

  test('have one winner when many race', async () => {
    const { etag } = await items.items.create({ id: 'race', pk: 'one' });
    const replace = (n: number) => items.item('race', 'one').replace({ id: 'race', pk: 'one', n }, ifMatch(etag));
    const results = await Promise.allSettled([...Array(20).keys()].map(replace));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('are patched in one step, with a condition', async () => {
    await items.items.create({ id: 'p', pk: 'one', n: 1, tags: ['a', 'c'], old: 1, o: {} });
    const item = items.item('p', 'one');
    const { resource } = await item.patch([
      { op: 'incr', path: '/n', value: 4 },
      { op: 'add', path: '/tags/1', value: 'b' },
      { op: 'add', path: '/tags/-', value: 'd' },
      { op: 'set', path: '/o/x', value: [1] },
      { op: 'replace', path: '/tags/0', value: 'A' },
      { op: 'remove', path: '/old' },
      // the SDK's types lack this operation of the service
      { op: 'move', from: '/o', path: '/moved' } as never,
    ]);
    expect(resource).toMatchObject({ n: 5, tags: ['A', 'b', 'c', 'd'], moved: { x: [1] } });
    expect(resource).not.toHaveProperty('old');
    const conditional = (condition: string) =>
      item.patch({ condition, operations: [{ op: 'set', path: '/n', value: 0 }] });
    await expect(conditional('FROM c WHERE c.n = 1')).rejects.toMatchObject({ code: 412 });
    expect((await conditional('FROM c WHERE c.n = 5')).resource).toMatchObject({ n: 0 });
    await expect(item.patch([{ op: 'replace', path: '/none', value: 1 }])).rejects.toMatchObject({ code: 400 });
    await expect(item.patch([{ op: 'set', path: '/id', value: 'x' }])).rejects.toMatchObject({ code: 400 });
  });

  test('are refused when they are too large, badly named or of another partition', async () => {
    await expect(items.items.create({ id: 'big', pk: 'one', text: 'x'.repeat(2_100_000) })).rejects.toMatchObject({
      code: 413,
    });
    for (const id of ['a/b', 'a\\b', 'a?b', 'a#b', 'x'.repeat(1024)]) {
      await expect(items.items.create({ id, pk: 'one' })).rejects.toThrow();
    }
    await items.items.create({ id: 'é b:%41~', pk: 'ü' });
    expect((await items.item('é b:%41~', 'ü').read()).statusCode).toBe(200);
    await items.items.create({ id: 'moved', pk: 'one' });
    await expect(items.item('moved', 'one').replace({ id: 'moved', pk: 'two' })).rejects.toMatchObject({ code: 400 });
  });

  test('expire by their own time to live or that of their container', async () => {
    const { container: brief } = await database.containers.create({ id: 'brief', partitionKey: '/pk', defaultTtl: 1 });
    await brief.items.create({ id: 'soon', pk: 'p' });
    await brief.items.create({ id: 'kept', pk: 'p', ttl: -1 });
    await items.items.create({ id: 'soon', pk: 'p', ttl: 1 });
    await expect.poll(async () => (await brief.item('soon', 'p').read()).statusCode, { timeout: 8000 }).toBe(404);
    await expect.poll(async () => (await items.item('soon', 'p').read()).statusCode, { timeout: 8000 }).toBe(404);
    expect((await brief.item('kept', 'p').read()).statusCode).toBe(200);
    expect((await brief.items.query('SELECT VALUE c.id FROM c', { partitionKey: 'p' }).fetchAll()).resources).toEqual([
      'kept',
    ]);
    expect((await brief.items.create({ id: 'soon', pk: 'p' })).statusCode).toBe(201);
  });
});

describe('batches', () => {
  const create = (id: string) => ({ operationType: BulkOperationType.Create, resourceBody: { id, pk: 'batch' } });

  test('change all of their documents or none', async () => {
    const good = await items.items.batch([create('x'), create('y'), { operationType: 'Read', id: 'x' }], 'batch');
    expect(good.code).toBe(200);
    expect(good.result?.map(({ statusCode }) => statusCode)).toEqual([201, 201, 200]);
    const bad = await items.items.batch(
      [create('z'), { operationType: 'Delete', id: 'y' }, create('x'), create('w')],
      'batch',
    );
    expect(bad.code).toBe(207);
    expect(bad.result?.map(({ statusCode }) => statusCode)).toEqual([424, 424, 409, 424]);
    expect(await query('SELECT VALUE c.id FROM c', 'batch')).toEqual(['x', 'y']);
  });

  test('check the etag of each operation', async () => {
    const { etag } = await items.items.create({ id: 'm', pk: 'batch2', n: 1 });
    const replace = (n: number) => ({
      operationType: 'Replace' as const,
      id: 'm',
      ifMatch: etag,
      resourceBody: { id: 'm', pk: 'batch2', n },
    });
    expect((await items.items.batch([replace(2)], 'batch2')).code).toBe(200);
    expect((await items.items.batch([replace(3)], 'batch2')).result?.[0]?.statusCode).toBe(412);
  });

  test('have at most 100 operations', async () => {
    const operations = (count: number) =>
      [...Array(count).keys()].map((n) => ({ ...create(`n${n}`), resourceBody: { id: `n${n}`, pk: 'full' } }));
    const isRefused = await items.items.batch(operations(101), 'full').then(
      ({ code }) => code !== 200,
      () => true,
    );
    expect(isRefused).toBe(true);
    expect((await items.items.batch(operations(100), 'full')).code).toBe(200);
  });
});

test('a wrong key is refused', async () => {
  const stranger = connect(account.endpoint, Buffer.from('wrong').toString('base64'));
  await expect(stranger.database(database.id).container('items').item('a', 'one').read()).rejects.toMatchObject({
    code: 401,
  });
  stranger.dispose();
});
