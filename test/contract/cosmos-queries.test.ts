/** What the real SDK finds with queries and in the change feed. */
import { ChangeFeedStartFrom, type Container, type Database } from '@azure/cosmos';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAccount, type TestAccount } from './cosmos-account.ts';

let account: TestAccount;
let database: Database;
let items: Container;
let query: TestAccount['query'];
beforeAll(async () => {
  account = await openAccount();
  ({ database, items, query } = account);
});
afterAll(() => account.close());

describe('queries', () => {
  beforeAll(async () => {
    for (const n of Array(12).keys()) {
      await items.items.create({
        id: `q${n}`,
        pk: n % 2 ? 'odd' : 'even',
        kind: 'q',
        n,
        third: 1 + (n % 3),
        label: n === 3 ? null : `l${n}`,
      });
    }
  });
  const numbers = (...all: number[]) => all;

  test('see one partition when a partition key is given', async () => {
    expect(await query('SELECT VALUE c.n FROM c WHERE c.n >= 0', 'odd')).toEqual([1, 3, 5, 7, 9, 11]);
    const parameters = [{ name: '@v', value: null }];
    expect(await query({ query: 'SELECT VALUE c.n FROM c WHERE c.label = @v', parameters }, 'odd')).toEqual([3]);
    expect((await items.items.readAll({ partitionKey: 'odd' }).fetchAll()).resources).toHaveLength(6);
  });

  test('order, skip and limit, in one partition and across', async () => {
    for (const pk of ['odd', undefined]) {
      const odd = (n: number) => pk === undefined || n % 2 === 1;
      const descending = numbers(11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0).filter(odd);
      const from = `FROM c WHERE c.kind = "q" ORDER BY c.n DESC`;
      expect(await query(`SELECT VALUE c.n ${from}`, pk)).toEqual(descending);
      expect(await query(`SELECT TOP 4 VALUE c.n ${from}`, pk)).toEqual(descending.slice(0, 4));
      expect(await query(`SELECT VALUE c.n ${from} OFFSET 2 LIMIT 3`, pk)).toEqual(descending.slice(2, 5));
      expect(
        await query(
          {
            query: `SELECT * ${from} OFFSET @o LIMIT @l`,
            parameters: [
              { name: '@o', value: 1 },
              { name: '@l', value: 2 },
            ],
          },
          pk,
        ),
      ).toMatchObject(descending.slice(1, 3).map((n) => ({ n })));
    }
  });

  test('aggregate, group and drop duplicates, in one partition and across', async () => {
    for (const pk of ['odd', undefined]) {
      const all = numbers(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11).filter((n) => pk === undefined || n % 2 === 1);
      const sum = all.reduce((a, b) => a + b);
      const where = 'FROM c WHERE c.kind = "q"';
      expect(await query(`SELECT VALUE COUNT(1) ${where}`, pk)).toEqual([all.length]);
      expect(await query(`SELECT VALUE SUM(c.n) ${where}`, pk)).toEqual([sum]);
      expect(await query(`SELECT VALUE AVG(c.n) ${where}`, pk)).toEqual([sum / all.length]);
      expect(await query(`SELECT VALUE MIN(c.n) ${where}`, pk)).toEqual([all[0]]);
      expect(await query(`SELECT VALUE MAX(c.n) ${where}`, pk)).toEqual([11]);
      expect(await query(`SELECT COUNT(1) AS n, MAX(c.n) AS most ${where}`, pk)).toEqual([{ n: all.length, most: 11 }]);
      const groups = await query(`SELECT c.third, COUNT(1) AS n ${where} GROUP BY c.third`, pk);
      expect(groups).toEqual(expect.arrayContaining(numbers(1, 2, 3).map((third) => ({ third, n: all.length / 3 }))));
      expect(await query(`SELECT DISTINCT VALUE c.third ${where} ORDER BY c.third`, pk)).toEqual([1, 2, 3]);
      expect((await query(`SELECT DISTINCT c.third ${where}`, pk)).length).toBe(3);
    }
  });

  test('give pages of the asked size and go on with the continuation', async () => {
    for (const text of ['SELECT VALUE c.n FROM c', 'SELECT VALUE c.n FROM c ORDER BY c.n DESC']) {
      const seen: number[] = [];
      let token: string | undefined;
      do {
        const options = {
          partitionKey: 'odd',
          maxItemCount: 4,
          ...(token === undefined ? {} : { continuationToken: token }),
        };
        const page = await items.items.query<number>(text, options).fetchNext();
        expect(page.resources.length).toBeLessThanOrEqual(4);
        seen.push(...page.resources);
        token = page.continuationToken;
      } while (token !== undefined && token !== '');
      expect(seen.toSorted((a, b) => a - b)).toEqual([1, 3, 5, 7, 9, 11]);
    }
  });

  test('go on across partitions with query control', async () => {
    const seen: number[] = [];
    let token: string | undefined;
    do {
      const options = {
        maxItemCount: 5,
        enableQueryControl: true,
        ...(token === undefined ? {} : { continuationToken: token }),
      };
      const page = await items.items
        .query<number>('SELECT VALUE c.n FROM c WHERE c.kind = "q" ORDER BY c.n', options)
        .fetchNext();
      seen.push(...(page.resources ?? []));
      token = page.continuationToken;
    } while (token !== undefined && token !== '');
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test('are refused when they are wrong', async () => {
    await expect(query('SELEKT nothing', 'odd')).rejects.toMatchObject({ code: 400 });
    await expect(query('SELECT NOSUCHFUNCTION(c.n) FROM c', 'odd')).rejects.toMatchObject({ code: 400 });
  });
});

test('the change feed gives the latest versions in order, and goes on where it stopped', async () => {
  const { container } = await database.containers.create({ id: 'feed', partitionKey: '/pk' });
  for (const id of ['1', '2', '3']) await container.items.create({ id, pk: 'p' });
  await container.items.upsert({ id: '1', pk: 'p', again: true });
  const read = async (changeFeedStartFrom: ChangeFeedStartFrom) => {
    const iterator = container.items.getChangeFeedIterator({ changeFeedStartFrom, maxItemCount: 2 });
    const ids: string[] = [];
    for (;;) {
      const page = await iterator.readNext();
      if (page.statusCode === 304) return { ids, token: page.continuationToken };
      ids.push(...(page.result as { id: string }[]).map(({ id }) => id));
    }
  };
  const { ids, token } = await read(ChangeFeedStartFrom.Beginning('p'));
  expect(ids).toEqual(['2', '3', '1']);
  await container.items.create({ id: '4', pk: 'p' });
  expect((await read(ChangeFeedStartFrom.Continuation(token))).ids).toEqual(['4']);
});
