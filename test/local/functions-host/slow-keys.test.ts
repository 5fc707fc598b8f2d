/** Our routes in the host, with clients that hold on to it. Scoring takes no time, and documents are in memory. */
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { rawClient } from '../raw-client.ts';
import { runApp, type TestHost } from './app.ts';

const app = `
  import { registerHttp } from '../../../functions/http/register.ts';
  import { createWorld } from '../../shared/world.ts';
  import { keyIn } from '../../functions/http/calls.ts';
  const world = createWorld();
  for (const n of [1, 2]) keyIn(world, n);
  app.setup({ enableHttpStream: true });
  registerHttp(app, { ...world.ports, score: async (_project, { bytes }) => ({ bytes: bytes.length }) });`;

/** As `keyIn` makes them. */
const keyOf = (n: number): string => `dk_${Buffer.alloc(32, n).toString('base64url')}`;
const score = '/api/v1/projects/digits/score';

/** Announces much, sends a byte, and no more. */
function stall(host: TestHost, key: string): { request: ClientRequest; status: Promise<number | undefined> } {
  const headers = { 'x-api-key': key, 'content-length': 1e6 };
  const request = httpRequest(`${host.url}${score}`, { method: 'POST', headers, agent: false });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  request.write('x');
  onTestFinished(() => void request.destroy());
  const status = answered.then(
    ([response]) => response.resume().statusCode,
    () => undefined,
  );
  return { request, status };
}

test('a thousand slow bodies of one key give another key no 429; twelve may be slow, and not for ever', async () => {
  const host = await runApp(app, { drainTimeoutMs: 100 });
  const stalled = Array.from({ length: 1000 }, () => stall(host, keyOf(1)));
  const other = rawClient(host.port);
  for (let i = 0; i < 50; i++)
    expect(await other.send(score, 5000, { 'x-api-key': keyOf(2) })).toBe('200 {"bytes":5000}');
  const statuses = await Promise.all(stalled.map(({ status }) => status));
  const count = (wanted: number): number => statuses.filter((status) => status === wanted).length;
  expect(count(429) + count(408)).toBe(1000);
  expect(count(408)).toBeGreaterThanOrEqual(12);
  expect(count(408)).toBeLessThan(100);
}, 60_000);

test('a large body with a wrong key has its 401, one that may not has its 403, and both connections go on', async () => {
  const host = await runApp(app);
  const client = rawClient(host.port);
  const send = async (path: string, key: string, size: number): Promise<string> =>
    (await client.send(`/api/v1/projects/digits${path}`, size, { 'x-api-key': key })).slice(0, 60);
  expect([
    await send('/score', keyOf(9), 40e6),
    await send('/commits', keyOf(1), 40e6),
    await send('/score', keyOf(1), 60e6),
    await send('/score', keyOf(1), 5000),
  ]).toEqual([
    expect.stringMatching(/^401 .*unauthorized/),
    expect.stringMatching(/^403 .*forbidden/),
    expect.stringMatching(/^413 .*body-too-large/),
    '200 {"bytes":5000}',
  ]);
}, 60_000);
