/** Slow clients beside others, at the routes, with real connections. */
import { once } from 'node:events';
import { type ClientRequest, createServer, type IncomingMessage, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { expect, onTestFinished, test } from 'vitest';
import { api } from '../../../functions/http/api/api.ts';
import { mount } from '../../../functions/http/mount.ts';
import { listen, loopback } from '../../../local/listen.ts';
import { keyDocument, newKey } from '../../../shared/key/secret.ts';
import { createFakes } from '../../simulation/fakes.ts';

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

const [key = '', another = ''] = [1, 2].map((n) => newKey(Buffer.alloc(32, n)));

/** The routes behind a server of node:http, bodies handed on as the library of Azure Functions does. Scoring takes no time. */
async function serve(): Promise<number> {
  const world = createFakes();
  for (const one of [key, another])
    world.put('keys', keyDocument(one, { name: 'k', role: 'viewer', project: '*' }, '2026-01-01T00:00:00Z'));
  let score: Handler | undefined;
  mount(
    { http: (name, { handler }) => void (name === 'api-score-post' && (score = handler as unknown as Handler)) },
    {
      ...world.ports,
      score: (_project, { bytes }) =>
        Promise.resolve({ task: 'classification', predictionId: 'p', prediction: null, bytes: bytes.length } as never),
    },
    [api],
  );
  const server = createServer((incoming, response) => {
    const request = {
      url: `http://a${incoming.url}`,
      headers: new Headers({ 'x-api-key': String(incoming.headers['x-api-key']) }),
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

const open = (port: number, by = key): ClientRequest =>
  httpRequest({
    ...{ host: loopback, port, method: 'POST', path: '/api/v1/projects/digits/score', headers: { 'x-api-key': by } },
  }).on('error', () => undefined);

async function answerTo(request: ClientRequest): Promise<IncomingMessage & { text: string }> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const text = Buffer.concat(await response.toArray()).toString();
  return Object.assign(response, { text });
}

/** Sends one image of `size` bytes. */
async function send(port: number, size: number, by = key): Promise<IncomingMessage & { text: string }> {
  const request = open(port, by);
  request.end(Buffer.alloc(size));
  return answerTo(request);
}

/** Sends the beginning of a large image, and no more. */
async function sendSome(port: number, size: number): Promise<ClientRequest> {
  const request = open(port);
  for (let sent = 0; sent < size; sent += 1 << 20)
    if (!request.write(Buffer.alloc(1 << 20))) await once(request, 'drain');
  return request;
}

test('a client that sends a byte and no more keeps nobody from being served', async () => {
  const port = await serve();
  for (let i = 0; i < 10; i++) open(port).write('x');
  await sleep(100);
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => send(port, i === 0 ? 20e6 : 5000)));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 20 }, () => 200));
  expect(JSON.parse(answers[0]?.text ?? '')).toMatchObject({ bytes: 20e6 });
}, 10_000);

test('forty bodies of one key that stall, one of them large, keep no score of another key waiting, and are ended', async () => {
  const port = await serve();
  const much = await sendSome(port, 49 * 1024 * 1024);
  const others = await Promise.all(Array.from({ length: 39 }, () => sendSome(port, 1)));
  const ends = [much, ...others].map((request) => answerTo(request));
  for (let i = 0; i < 20; i++) expect((await send(port, i === 0 ? 20e6 : 300e3, another)).statusCode).toBe(200);
  const answers = await Promise.all(ends);
  const codes = answers.map(({ statusCode, text }) => `${statusCode} ${JSON.parse(text).error.code}`);
  const count = (code: string): number => codes.filter((one) => one === code).length;
  // twelve are read; a place of theirs may come free before the last ones are looked at
  expect(count('429 too-many-slow-bodies')).toBeGreaterThan(14);
  // the small ones find no room beside the large one
  expect(count('429 too-many-slow-bodies') + count('408 body-too-slow') + count('503 try-again')).toBe(40);
  expect(answers.find(({ statusCode }) => statusCode === 429)?.headers['retry-after']).toBe('5');
  expect((await send(port, 5000)).statusCode).toBe(200);
}, 20_000);

test('a key that fills its part with a stalled body is told to come back, or served when that is ended', async () => {
  const port = await serve();
  const much = await sendSome(port, 40 * 1024 * 1024);
  const end = answerTo(much);
  const refused = await send(port, 5000);
  expect([200, 503]).toContain(refused.statusCode);
  if (refused.statusCode === 503) {
    expect(refused.headers['retry-after']).toBe('2');
    expect(JSON.parse(refused.text)).toMatchObject({
      error: { code: 'try-again' },
      detail: expect.stringMatching(/5 s brought no room for this one\. Send the request again\.$/),
    });
  }
  expect((await end).statusCode).toBe(408);
  expect((await send(port, 5000)).statusCode).toBe(200);
}, 20_000);
