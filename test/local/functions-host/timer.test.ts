import { describe, expect, test } from 'vitest';
import { parseSchedule } from '../../../local/functions-host/cron.ts';
import { runApp } from './app.ts';

const next = (schedule: string, after: string) =>
  parseSchedule(schedule).nextRun(new Date(after))?.toISOString() ?? 'never';

describe('NCRONTAB', () => {
  test.each([
    ['0 */15 * * * *', '2026-03-01T10:07:30Z', '2026-03-01T10:15:00.000Z'],
    ['0 */15 * * * *', '2026-03-01T10:15:00.000Z', '2026-03-01T10:30:00.000Z'],
    ['*/15 * * * *', '2026-03-01T10:07:30Z', '2026-03-01T10:15:00.000Z'],
    ['30 0 2 * * *', '2026-12-31T23:59:59Z', '2027-01-01T02:00:30.000Z'],
    ['0 0 0 1 JAN,jul *', '2026-02-01T00:00:00Z', '2026-07-01T00:00:00.000Z'],
    ['0 0 9 * * MON-FRI', '2026-11-20T10:00:00Z', '2026-11-23T09:00:00.000Z'],
    ['0 0 0 13 * FRI', '2026-03-14T00:00:00Z', '2026-11-13T00:00:00.000Z'],
    ['0 0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['10-20/5 5/20 8 * * *', '2026-01-01T08:05:20Z', '2026-01-01T08:25:10.000Z'],
    ['0 0 0 31 2 *', '2026-01-01T00:00:00Z', 'never'],
    ['0 0 0 29 2 MON', '2026-01-01T00:00:00Z', '2044-02-29T00:00:00.000Z'],
    ['0 0 9 * January,july Monday-Wednesday/2', '2026-07-01T10:00:00Z', '2026-07-06T09:00:00.000Z'],
    ['*,5 * * * * *', '2026-01-01T00:00:00.500Z', '2026-01-01T00:00:01.000Z'],
  ])('%s after %s is %s', (schedule, after, expected) => {
    expect(next(schedule, after)).toBe(expected);
  });

  test.each([
    '* * * *',
    '60 * * * * *',
    '0 * * * * 7',
    '0 */0 * * * *',
    '0 9-3 * * * *',
    '00:05:00',
    '0 1/2/3 * * * *',
    '0 a * * * *',
    '0 0 0 1-7 * 1-7',
    '0 0 0 * * FRI-SUN',
    '0 0 0 L * *',
    '0 0 0 ? * *',
    '0 0 0 15W * *',
    '0 0 0 * * MON#1',
    '0 0 0 * * +MON',
    '0 0 0 * * MONFRI-',
    '0,,5 * * * * *',
    '0,5, * * * * *',
    '/5 * * * * *',
    '*-5 * * * * *',
    '0 0 0 * * * 2027',
    '@daily',
    '2026-03-01T10:00:00Z',
  ])('%s is refused', (schedule) => {
    expect(() => parseSchedule(schedule)).toThrow('no NCRONTAB schedule');
  });
});

test('a timer fires on its schedule, taken from a setting', async () => {
  const host = await runApp(
    "app.timer('tick', { schedule: '%EVERY%', handler: (timer, context) => context.log('tick', timer.isPastDue, typeof timer.scheduleStatus.next) });",
    { settings: { EVERY: '* * * * * *' } },
  );
  expect((await host.logged('tick false string')).functionName).toBe('tick');
});

test('a timer can be run by hand: in code, and with the master key over HTTP', async () => {
  const host = await runApp(
    `let runs = 0;
     app.timer('yearly', { schedule: '0 0 0 1 1 *', handler: (timer, context) => context.log('run', ++runs) });
     app.timer('broken', { schedule: '0 0 0 1 1 *', handler: () => { throw new Error('no luck'); } });`,
    { keys: { master: 'm' } },
  );
  await host.invokeTimer('yearly');
  await host.logged('run 1');
  await expect(host.invokeTimer('broken')).rejects.toThrow('no luck');
  await expect(host.invokeTimer('other')).rejects.toThrow("no timer 'other'");
  const post = (name: string, key: string) =>
    fetch(`${host.url}/admin/functions/${name}`, {
      method: 'POST',
      headers: { 'x-functions-key': key, 'content-type': 'application/json' },
      body: '{}',
    });
  expect((await post('yearly', 'wrong')).status).toBe(401);
  expect((await post('other', 'm')).status).toBe(404);
  expect((await post('yearly', 'm')).status).toBe(202);
  await host.logged('run 2');
});
