/** Stands before a service that speaks HTTP and lets things go wrong. */
import { Agent, createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, loopback } from '../../local/listen.ts';
import { type Faults, latencyMs, silenceMs } from './faults.ts';

export interface Proxy {
  port: number;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** seconds that a throttled client is asked to wait */
const retryAfterSeconds = 1;
const drops = 8;
const dropPauseMs = 60;

async function collect(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A refusal as Cosmos DB, Blob storage and ARM write it: each client reads its own headers. */
function refuse(response: ServerResponse, status: 429 | 503): void {
  const code = status === 429 ? 'TooManyRequests' : 'ServerBusy';
  const wait =
    status === 429
      ? { 'retry-after': String(retryAfterSeconds), 'x-ms-retry-after-ms': String(retryAfterSeconds * 1000) }
      : {};
  response.writeHead(status, { 'content-type': 'application/json', 'x-ms-error-code': code, ...wait });
  response.end(JSON.stringify({ code, message: code, error: { code, message: 'The service is busy.' } }));
}

/** Starts a proxy before `target` (scheme, host and port). Addresses in requests and answers stay as they are. */
export async function startHttpProxy(target: string, faults: Faults): Promise<Proxy> {
  const { hostname, port: targetPort } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const forward = async (request: IncomingMessage, body: Buffer): Promise<Answer> => {
    const { method, url, headers } = request;
    const sent = httpRequest({ agent, hostname, port: targetPort, method, path: url, headers });
    sent.end(body);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject);
    });
    return { status: answer.statusCode ?? 502, headers: answer.headers, body: await collect(answer) };
  };
  /** Sends the answer in drops. */
  const drip = async ({ status, headers, body }: Answer, response: ServerResponse): Promise<void> => {
    response.writeHead(status, headers);
    const size = Math.max(1, Math.ceil(body.length / drops));
    for (let at = 0; at < body.length; at += size) {
      response.write(body.subarray(at, at + size));
      await sleep(dropPauseMs);
    }
    response.end();
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const fault = faults.next();
    const { socket } = request;
    const body = await collect(request);
    if (fault === 'throttled') return refuse(response, 429);
    if (fault === 'unavailable') return refuse(response, 503);
    if (fault === 'reset-before') return void socket.resetAndDestroy();
    if (fault === 'silent') {
      const timer = setTimeout(() => socket.resetAndDestroy(), silenceMs);
      socket.once('close', () => clearTimeout(timer));
      return;
    }
    if (fault === 'latency') await sleep(latencyMs(faults.random));
    const answer = await forward(request, body);
    if (fault === 'reset-after') return void socket.resetAndDestroy();
    if (fault === 'half-closed') {
      response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
      response.write(answer.body.subarray(0, answer.body.length >> 1), () => socket.destroySoon());
      response.flushHeaders();
      return;
    }
    if (fault === 'slow-body') return drip(answer, response);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  server.keepAliveTimeout = 65_000;
  const port = await listen(server, { port: 0, host: loopback, purpose: 'a proxy', setting: 'none' });
  return {
    port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}
