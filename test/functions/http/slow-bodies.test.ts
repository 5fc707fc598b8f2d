/** Slow clients beside others, at the routes, with real connections. */
import { once } from 'node:events';
import { type ClientRequest, createServer, type IncomingMessage, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { expect, onTestFinished, test } from 'vitest';
import { registerHttp } from '../../../functions/http/register.ts';
import { listen, loopback } from '../../../local/listen.ts';
import { keyDocument, newKey } from '../../../shared/api/keys.ts';
import { createWorld } from '../../shared/world.ts';

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

const key = newKey(Buffer.alloc(32, 1));

/** The routes behind a server of node:http, bodies handed on as the library of Azure Functions does. Scoring takes no time. */
async function serve(): Promise<number> {
  const world = createWorld();
  world.put('keys', keyDocument(key, { name: 'k', role: 'viewer', project: '*' }, '2026-01-01T00:00:00Z'));
  let score: Handler | undefined;
  registerHttp(
    { http: (name, { handler }) => void (name === 'http-score-post' && (score = handler as unknown as Handler)) },
    { ...world.ports, score: (_project, { bytes }) => Promise.resolve({ bytes: bytes.length } as never) },
  );
  const server = createServer((incoming, response) => {
    const request = {
      url: `http://a${incoming.url}`,
      headers: new Headers({ 'x-api-key': key }),
      body: Readable.toWeb(incoming),
    };
    const context = { invocationId: 'i', error: (text: string) => expect.fail(text) };
    void score?.(request as unknown as HttpRequest, context as unknown as InvocationContext).then((answer) => {
      response.writeHead(answer.status ?? 200, answer.headers as Record<string, string>).end(answer.body);
    });
  });
  const port = await listen(server, { port: 0, host: loopback, purpose: 'routes', setting: 'none' });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return port;
}

const open = (port: number): ClientRequest =>
  httpRequest({ host: loopback, port, method: 'POST', path: '/api/v1/projects/digits/score' }).on(
    'error',
    () => undefined,
  );

/** Sends one image of `size` bytes. */
async function send(port: number, size: number): Promise<IncomingMessage & { text: string }> {
  const request = open(port);
  request.end(Buffer.alloc(size));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const text = Buffer.concat(await response.toArray()).toString();
  return Object.assign(response, { text });
}

test('a client that sends a byte and no more keeps nobody from being served', async () => {
  const port = await serve();
  for (let i = 0; i < 20; i++) open(port).write('x');
  await sleep(100);
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => send(port, i === 0 ? 20e6 : 5000)));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 20 }, () => 200));
  expect(JSON.parse(answers[0]?.text ?? '')).toEqual({ bytes: 20e6 });
}, 10_000);

test('a client that sends a lot and does not end it has others told to come back, until it has left', async () => {
  const port = await serve();
  const much = open(port);
  for (let sent = 0; sent < 34 * 1024 * 1024; sent += 1 << 20)
    if (!much.write(Buffer.alloc(1 << 20))) await once(much, 'drain');
  await sleep(100);
  const startedAt = performance.now();
  const refused = await send(port, 5000);
  expect(performance.now() - startedAt).toBeGreaterThan(4000);
  expect(performance.now() - startedAt).toBeLessThan(8000);
  expect(refused.statusCode).toBe(503);
  expect(refused.headers['retry-after']).toBe('2');
  expect(JSON.parse(refused.text)).toMatchObject({
    error: { code: 'try-again' },
    detail: expect.stringMatching(/5 s brought no room for this one\. Send the request again\.$/),
  });
  much.destroy();
  expect((await send(port, 5000)).statusCode).toBe(200);
}, 20_000);
