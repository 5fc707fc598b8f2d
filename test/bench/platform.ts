/** A platform for a bench, and a client of its API. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import * as z from 'zod';
import { createKey } from '../../local/first-key.ts';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import type { Ports } from '../../shared/ports.ts';
import type { Scan } from './digits.ts';
import { startApp } from '../platform.ts';

const patienceMs = 900_000;

const contentTypes: Record<string, string> = { '.jpg': 'image/jpeg', '.webp': 'image/webp' };

export interface BenchPlatform {
  ports: Ports;
  settings: Record<string, string>;
  call(
    method: string,
    route: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Record<string, unknown>>;
  /** Uploads through upload addresses, 16 at a time. */
  upload(project: string, files: Scan[]): Promise<void>;
  /** Waits until the answer satisfies; throws after 15 minutes. */
  until(route: string, enough: (answer: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  /** resident memory of the process that runs the functions, in MB: now, and the most it ever was; Linux */
  workerMemory(): Promise<{ now: number; most: number }>;
  close(): Promise<void>;
}

/** Starts everything in a temporary folder, from the bundle that is deployed. */
export async function startBenchPlatform(): Promise<BenchPlatform> {
  const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-bench-'));
  const platform = await startApp({
    dataDir: folder,
  });
  const key = await createKey(platform.settings, 'bench');
  const call: BenchPlatform['call'] = async (method, route, body, headers = {}) => {
    const raw = Buffer.isBuffer(body);
    const { status, text } = await send(`${platform.addresses.http}/api/v1${route}`, {
      method,
      headers: {
        'x-api-key': key,
        ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: raw || body === undefined ? body : JSON.stringify(body),
    });
    if (status > 299) throw new Error(`${method} ${route} was answered ${status}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  return {
    ports: connect(readConfig(platform.settings)),
    settings: platform.settings,
    call,
    async upload(project, files) {
      for (let from = 0; from < files.length; from += 1000) {
        const batch = files.slice(from, from + 1000);
        const asked = batch.map(({ name, label }) => {
          // a JPEG that is declared as something else is refused before it is decoded
          const contentType = contentTypes[name.slice(name.lastIndexOf('.'))] ?? 'image/png';
          return { name, label, contentType };
        });
        const { value } = (await call('POST', `/projects/${project}/upload-urls`, { files: asked })) as {
          value: { url: string; headers: Record<string, string> }[];
        };
        await pMap(
          value,
          async ({ url, headers }) => {
            const bytes = batch[value.findIndex((one) => one.url === url)]?.bytes ?? Buffer.alloc(0);
            const { status } = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) });
            if (status !== 201) throw new Error(`an upload was answered ${status}`);
          },
          { concurrency: 16 },
        );
      }
    },
    async until(route, enough) {
      const limit = Date.now() + patienceMs;
      for (;;) {
        const answer = await call('GET', route);
        if (enough(answer)) return answer;
        if (Date.now() > limit) throw new Error(`${route} is still ${JSON.stringify(answer).slice(0, 500)}`);
        await sleep(100);
      }
    },
    async workerMemory() {
      const pid = platform.functions?.workerPid() ?? 0;
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      const mb = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
      return { now: mb('VmRSS'), most: mb('VmHWM') };
    },
    async close() {
      await platform.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Sent {
  method: string;
  headers: Record<string, string>;
  body: Buffer | string | undefined;
}

const agent = new Agent({ keepAlive: true });

/** One request, kept alive. The client runs on the thread of the services, so what fetch costs above this would be measured with them. */
export function send(url: string, { method, headers, body }: Sent): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const sent = request(url, { method, agent, headers: { ...headers, ...length } }, (response) => {
    text(response).then((answer) => resolve({ status: response.statusCode ?? 0, text: answer }), reject);
  });
  sent.on('error', reject).end(body);
  return promise;
}

const counted = z.object({ counts: z.object({ uploads: z.record(z.string(), z.number()) }) });

/** How many uploads of a project have which outcome, or none yet (`received`). */
export const uploadsOf = (project: Record<string, unknown>): Record<string, number> =>
  counted.parse(project).counts.uploads;

/** How many uploads of a project have an outcome. */
export function settledUploads(project: Record<string, unknown>): number {
  const { received, ...rest } = uploadsOf(project);
  void received;
  return Object.values(rest).reduce((a, b) => a + b, 0);
}
