/** Our routes in the host, with clients that hold on to it. Scoring takes no time, and documents are in memory. */
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { rawClient } from '../raw-client.ts';
import { runApp, type TestHost } from './app.ts';

const app = `
  import { modelId } from '../../../shared/model/register.ts';
  import { api } from '../../../functions/http/api/api.ts';
  import { mount } from '../../../functions/http/mount.ts';
  import { createFakes } from '../../simulation/fakes.ts';
  import { keyIn } from '../../functions/http/calls.ts';
  const world = createFakes();
  for (const n of [1, 2]) keyIn(world, n);
  world.put('models', { id: modelId(1), pk: 'digits', number: 1, digest: 'd' });
  let megabytes = 0;
  const body = async function* () {
    for (let i = 0; i < 64; i++, megabytes++) for (let j = 0; j < 16; j++) yield Buffer.alloc(1 << 16, 1);
  };
  const stream = async () => ({ body: body(), sizeBytes: 64 << 20, contentType: undefined });
  app.http('made', { route: 'api/made', authLevel: 'anonymous', handler: async () =>
    ({ jsonBody: { megabytes, rss: process.memoryUsage().rss / (1 << 20) } }) });
  app.setup({ enableHttpStream: true });
  const blobs = { ...world.ports.blobs, stream };
  const score = async (_project, { bytes }) => ({
    task: 'classification', prediction: { class: 'a', probabilities: {} }, predictionId: String(bytes.length),
    model: { version: 1, digest: 'd' }, datasetVersion: { id: 'v', number: 1 }, durationMs: 0 });
  mount(app, { ...world.ports, blobs, score }, [api]);`;

/** an answer to a score of 5,000 bytes */
const scored = /^200 .*"predictionId":"5000"/;

/** as our host.json: paths are the routes' own */
const atRoot = { extensions: { http: { routePrefix: '' } } };

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
  const host = await runApp(app, { drainTimeoutMs: 100 }, atRoot);
  const stalled = Array.from({ length: 1000 }, () => stall(host, keyOf(1)));
  const other = rawClient(host.port);
  for (let i = 0; i < 50; i++) expect(await other.send(score, 5000, { 'x-api-key': keyOf(2) })).toMatch(scored);
  const statuses = await Promise.all(stalled.map(({ status }) => status));
  const count = (wanted: number): number => statuses.filter((status) => status === wanted).length;
  expect(count(429) + count(408)).toBe(1000);
  expect(count(408)).toBeGreaterThanOrEqual(12);
  expect(count(408)).toBeLessThan(100);
}, 60_000);

test('a large body with a wrong key has its 401, one that may not has its 403, and both connections go on', async () => {
  const host = await runApp(app, {}, atRoot);
  const client = rawClient(host.port);
  const send = async (path: string, key: string, size: number): Promise<string> =>
    (await client.send(`/api/v1/projects/digits${path}`, size, { 'x-api-key': key })).slice(0, 100);
  expect([
    await send('/score', keyOf(9), 40e6),
    await send('/commits', keyOf(1), 40e6),
    await send('/score', keyOf(1), 60e6),
    await send('/score', keyOf(1), 5000),
  ]).toEqual([
    expect.stringMatching(/^401 .*unauthorized/),
    expect.stringMatching(/^403 .*forbidden/),
    expect.stringMatching(/^413 .*body-too-large/),
    expect.stringMatching(scored),
  ]);
}, 60_000);

test('twenty models that one key fetches and does not read are not made, and fill no memory; another key gets its own', async () => {
  const host = await runApp(app, {}, atRoot);
  const artifact = '/api/v1/projects/digits/models/1/artifact';
  const made = async () => (await (await fetch(`${host.url}/api/made`)).json()) as { megabytes: number; rss: number };
  const before = await made();
  for (let i = 0; i < 20; i++) {
    const socket = connect(host.port, '127.0.0.1').on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    socket.pause();
    socket.write(`GET ${artifact} HTTP/1.1\r\nhost: a\r\nx-api-key: ${keyOf(1)}\r\n\r\n`);
  }
  const answer = await fetch(`${host.url}${artifact}`, { headers: { 'x-api-key': keyOf(2) } });
  expect((await answer.arrayBuffer()).byteLength).toBe(64 << 20);
  const after = await made();
  // buffers of sockets hold some megabytes of each: all of it would be 1,280
  expect(after.megabytes - before.megabytes).toBeLessThan(600);
  expect(after.rss - before.rss).toBeLessThan(300);
}, 60_000);
