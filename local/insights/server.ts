/**
 * The ingestion endpoint of Application Insights: what SDKs send is appended to a file of JSON lines.
 * Alone: `node local/insights/server.ts --port 10005 --data DIR`.
 * Protocol: Breeze `/v2.1/track`, as `@azure/monitor-opentelemetry-exporter` speaks it.
 */
import { appendFile, mkdir, rename, rm, stat, truncate } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import * as z from 'zod';
import { diskRefusal } from '../disk.ts';
import { httpServer, type Keyless, resources, scheme, whyNot } from '../identity/keyless.ts';
import { listen, loopback } from '../listen.ts';
import { readArguments } from '../read-arguments.ts';

const unzip = promisify(gunzip);
const maxBodyBytes = 16 * 1024 * 1024;
const maxUnzippedBytes = 64 * 1024 * 1024;
const rotateAtBytes = 50 * 1024 * 1024;
/** rotated files kept beside the current one */
const keptFiles = 3;
const instrumentationKey = '00000000-0000-0000-0000-000000000001';

/** What every envelope has; the rest is stored as it came. */
const envelope = z.looseObject({ name: z.string().min(1), time: z.string().min(1) });

export interface InsightsOptions {
  /** 0 picks any free port */
  port: number;
  host?: string;
  /** folder of `telemetry.ndjson` and its rotated predecessors `telemetry.1.ndjson` (newest) to `telemetry.3.ndjson` */
  dataDir: string;
  /** size at which the file is rotated, in bytes (50 MB) */
  rotateBytes?: number;
  /** TLS and tokens, as where local authentication is switched off */
  keyless?: Keyless;
}

export interface InsightsService {
  port: number;
  endpoint: string;
  connectionString: string;
  close(): Promise<void>;
}

type Rejection = { index: number; statusCode: number; message: string };

/** Splits a body into envelopes: a JSON array, one JSON object, or one object per line. Throws SyntaxError. */
function parseItems(text: string): unknown[] {
  try {
    const whole: unknown = JSON.parse(text);
    return Array.isArray(whole) ? whole : [whole];
  } catch {
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line): unknown => JSON.parse(line));
  }
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (request.headers['content-encoding'] !== 'gzip') return body.toString();
  return (await unzip(body, { maxOutputLength: maxUnzippedBytes })).toString();
}

/** Appends lines in order and rotates; a file is never longer than the limit plus one request. */
function openLog(dataDir: string, rotateBytes: number) {
  const file = (n: number) => join(dataDir, n === 0 ? 'telemetry.ndjson' : `telemetry.${n}.ndjson`);
  let sizeBytes: number | undefined;
  let last: Promise<void> = Promise.resolve();
  const write = async (lines: string) => {
    sizeBytes ??= await stat(file(0)).then(
      (s) => s.size,
      () => 0,
    );
    if (sizeBytes > 0 && sizeBytes + lines.length > rotateBytes) {
      await rm(file(keptFiles), { force: true });
      for (let n = keptFiles - 1; n >= 0; n -= 1) await rename(file(n), file(n + 1)).catch(() => undefined);
      sizeBytes = 0;
    }
    try {
      await appendFile(file(0), lines);
    } catch (error) {
      // half a line must not spoil the one that follows
      await truncate(file(0), sizeBytes).catch(() => undefined);
      throw error;
    }
    sizeBytes += Buffer.byteLength(lines);
  };
  return {
    append(lines: string): Promise<void> {
      const done = last.then(() => write(lines));
      last = done.catch(() => undefined);
      return done;
    },
    settled: () => last,
  };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

async function track(
  request: IncomingMessage,
  response: ServerResponse,
  append: (lines: string) => Promise<void>,
): Promise<void> {
  const refuse = (status: number, message: string) =>
    answer(response, status, {
      itemsReceived: 0,
      itemsAccepted: 0,
      errors: [{ index: 0, statusCode: status, message }],
    });
  let items: unknown[];
  try {
    const text = await readBody(request);
    if (text === undefined) {
      response.setHeader('connection', 'close');
      return refuse(413, `A request has at most ${maxBodyBytes} bytes`);
    }
    items = parseItems(text);
  } catch (error) {
    return refuse(400, error instanceof Error ? error.message : 'unreadable');
  }
  const errors: Rejection[] = [];
  let lines = '';
  for (const [index, item] of items.entries()) {
    const parsed = envelope.safeParse(item);
    if (parsed.success) lines += `${JSON.stringify(item)}\n`;
    else errors.push({ index, statusCode: 400, message: z.prettifyError(parsed.error) });
  }
  if (lines !== '') await append(lines);
  const itemsAccepted = items.length - errors.length;
  // 206: some were accepted, as the real endpoint says it
  answer(response, errors.length === 0 ? 200 : itemsAccepted === 0 ? 400 : 206, {
    itemsReceived: items.length,
    itemsAccepted,
    errors,
  });
}

/** Starts the ingestion endpoint. Throws when the port is taken. */
export async function startInsights(options: InsightsOptions): Promise<InsightsService> {
  const host = options.host ?? loopback;
  await mkdir(options.dataDir, { recursive: true });
  const log = openLog(options.dataDir, options.rotateBytes ?? rotateAtBytes);
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '/', 'http://local');
    const { keyless } = options;
    const refusal = keyless && whyNot(keyless, request.headers.authorization, resources.insights);
    if (refusal !== undefined) {
      request.resume();
      return answer(response, 401, { error: { code: 'Unauthorized', message: refusal } });
    }
    if (request.method === 'POST' && /^\/v2(\.1)?\/track$/.test(pathname))
      return track(request, response, (lines) => log.append(lines));
    request.resume();
    if (/^\/QuickPulseService\.svc\/(ping|post)$/i.test(pathname)) {
      // live metrics: nobody is watching, so SDKs only ask again after a while
      response.setHeader('x-ms-qps-subscribed', 'false');
      response.setHeader('x-ms-qps-configuration-etag', '');
      return answer(response, 200, {});
    }
    answer(response, 404, {
      error: { code: 'NotFound', message: `${request.method} ${pathname} is not served locally` },
    });
  };
  const server = httpServer(options.keyless, (request, response) => {
    handle(request, response).catch((error: unknown) => {
      const refusal = diskRefusal(error);
      if (response.headersSent) response.destroy();
      // SDKs keep what was refused with 503 and send it again
      else if (refusal !== undefined)
        answer(response, 503, { error: { code: 'ServiceUnavailable', message: refusal } });
      else answer(response, 500, { error: { code: 'InternalError', message: String(error) } });
    });
  });
  const port = await listen(server, {
    port: options.port,
    host,
    purpose: 'telemetry',
    setting: 'ports.insights (--port)',
  });
  const endpoint = `${scheme(options.keyless)}://${host}:${port}`;
  return {
    port,
    endpoint,
    connectionString: `InstrumentationKey=${instrumentationKey};IngestionEndpoint=${endpoint}/;LiveEndpoint=${endpoint}/`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await log.settled();
    },
  };
}

async function main(): Promise<void> {
  const { values } = readArguments('node local/insights/server.ts [--port 10005] [--data DIR]', {
    options: { port: { type: 'string', default: '10005' }, data: { type: 'string', default: '.darkroom/insights' } },
  });
  const service = await startInsights({ port: Number(values.port), dataDir: values.data });
  console.log(`ready ${service.port}\nTelemetry: ${service.connectionString}`);
  const stop = () => void service.close();
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

if (import.meta.main) await main();
