import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { HttpFunction } from '../../../local/functions-host/http-routes.ts';
import { answerStream } from '../../../local/functions-host/http-stream.ts';
import type { WorkerProcess } from '../../../local/functions-host/worker-process.ts';
import { runApp } from './app.ts';

const streaming = (source: string) => `app.setup({ enableHttpStream: true });\n${source}`;

test('bodies stream both ways, and query values leak into params as in Azure', async () => {
  const host = await runApp(
    streaming(`app.http('echo', { methods: ['POST'], authLevel: 'anonymous', route: 'echo/{id}', handler: async (request) => {
      const params = JSON.stringify(request.params);
      async function* answer() {
        yield params + '|';
        for await (const chunk of request.body) yield Buffer.from(chunk).toString().toUpperCase();
      }
      return { status: 202, headers: { 'x-url': request.url }, body: answer() };
    } });`),
  );
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(encoder.encode('one,'));
      await held;
      controller.enqueue(encoder.encode('two'));
      controller.close();
    },
  });
  const url = `${host.url}/api/echo/7?extra=1&extra=2&id=spoofed`;
  const response = await fetch(url, { method: 'POST', body, duplex: 'half' });
  expect(response.status).toBe(202);
  expect(response.headers.get('x-url')).toBe(url);
  expect(response.headers.has('x-ms-invocation-id')).toBe(false);
  release();
  expect(await response.text()).toBe('{"extra":"1,2","id":"7"}|ONE,TWO');
});

test('a streamed request whose function throws or returns nothing is never answered, until the gateway gives up', async () => {
  const host = await runApp(
    streaming(`app.http('boom', { authLevel: 'anonymous', handler: async () => { throw new Error('x'); } });
      app.http('none', { authLevel: 'anonymous', handler: async () => undefined });`),
    { gatewayTimeoutMs: 400 },
  );
  const started = performance.now();
  expect((await fetch(`${host.url}/api/boom`)).status).toBe(504);
  expect(performance.now() - started).toBeGreaterThan(350);
  expect((await fetch(`${host.url}/api/none`)).status).toBe(504);
  expect((await host.logged('no answer to GET /api/boom')).functionName).toBe('boom');
  await host.logged('no answer to GET /api/none');
});

test('a crash in the middle of a streamed request answers 502', async () => {
  const host = await runApp(
    streaming(`app.http('die', { authLevel: 'anonymous', handler: async () => { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); } });
      app.http('live', { authLevel: 'anonymous', handler: async () => ({ body: 'alive' }) });`),
  );
  expect((await fetch(`${host.url}/api/die`)).status).toBe(502);
  await expect.poll(async () => (await fetch(`${host.url}/api/live`)).text(), { timeout: 5000 }).toBe('alive');
});

test('many small requests at once are all answered', async () => {
  const host = await runApp(
    streaming(`app.http('sum', { methods: ['POST'], authLevel: 'anonymous', handler: async (request) => {
      const { a, b } = await request.json();
      return { jsonBody: a + b };
    } });`),
  );
  const sums = await Promise.all(
    Array.from({ length: 100 }, async (_, a) => {
      const response = await fetch(`${host.url}/api/sum`, { method: 'POST', body: JSON.stringify({ a, b: 1 }) });
      return response.json();
    }),
  );
  expect(sums).toEqual(Array.from({ length: 100 }, (_, a) => a + 1));
});

/** A port where nobody accepts: the kernel keeps two connections for it and ignores the next ones. */
async function deafPort(): Promise<number> {
  const source = `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(said.toString());
  const sockets = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  await Promise.all(sockets.slice(0, 2).map((socket) => once(socket, 'connect')));
  return port;
}

test.runIf(process.platform === 'linux')(
  'a client that leaves before the worker takes the connection leaves nothing behind',
  async () => {
    const httpUri = `http://127.0.0.1:${await deafPort()}`;
    const ended = Promise.withResolvers<void>();
    const front = createServer((request, response) => {
      const url = new URL(`http://host${request.url}`);
      const maxBodyBytes = 1000;
      const call = {
        function: {} as HttpFunction,
        params: {},
        url,
        invocationId: 'i',
        request,
        response,
        maxBodyBytes,
      };
      const unused = (): never => {
        throw new Error('nothing reached the worker');
      };
      answerStream(call, {} as WorkerProcess, httpUri, unused, unused).then(ended.resolve, ended.reject);
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void front.close());
    await once(front, 'listening');
    const { port } = front.address() as AddressInfo;
    const leaving = AbortSignal.timeout(300);
    await expect(fetch(`http://127.0.0.1:${port}/api/any`, { signal: leaving })).rejects.toThrow();
    await ended.promise;
  },
);

test.for([true, false])('the address of a client is what the host sees, streams %s', async (streams) => {
  const source = `app.http('from', { authLevel: 'anonymous', handler: async ({ headers }) =>
    ({ jsonBody: [headers.get('client-ip'), headers.get('x-forwarded-for')] }) });`;
  const host = await runApp(streams ? streaming(source) : source);
  const made = { 'client-ip': '6.6.6.6:1', 'x-forwarded-for': '6.6.6.6' };
  const answer = (await (await fetch(`${host.url}/api/from`, { headers: made })).json()) as string[];
  expect(answer[0]).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(answer[1]).toBe(`6.6.6.6, ${answer[0]}`);
});
