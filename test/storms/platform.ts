/** A platform whose trainings are quick and do as they are told, for storms of requests, uploads and versions. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import sharp from 'sharp';
import { expect, vi } from 'vitest';
import * as z from 'zod';
import { createKey } from '../../local/first-key.ts';
import type { Platform } from '../../local/platform.ts';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import { buildApp } from '../../local/build.ts';
import type { Ports } from '../../shared/ports.ts';
import { fixtureJob } from '../fixtures/job.ts';
import { startApp } from '../platform.ts';

const image = { width: 8, height: 8, channels: 1 as const };
/** as large as `npm run verify` has them */
export const full = process.env['STORM'] === 'full';
export const soon = { timeout: 60_000, interval: 100 };

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

export interface Stormy {
  platform: Platform;
  ports: Ports;
  /** file that registers the functions */
  entry: string;
  folder: string;
  call(method: string, route: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Makes a project of dark and light tiles; `settings` add to those that let everything pass. */
  makeProject(name: string, settings?: Record<string, unknown>): Promise<void>;
  /** Uploads tiles `from` to `to`, each another picture, and resolves when storage has them. */
  upload(project: string, from: number, to: number): Promise<void>;
  /** Lets trainings by the trainer "held" go on. */
  release(): Promise<void>;
  close(): Promise<void>;
}

/** Tile number `n`: its two first pixels hold the number, so that none is like another. */
export const tile = (n: number): Promise<Buffer> => {
  const pixels = Buffer.alloc(64, n % 2 === 0 ? 20 : 235);
  pixels.writeUInt32BE(n, 0);
  return sharp(pixels, { raw: image }).png().toBuffer();
};

const settings = {
  ...{ image, classes: ['dark', 'light'], trainer: { name: 'prebuilt' }, commit: { quietSeconds: 1 } },
  gate: { minimum: 0, minimumRecall: 0, maxRegression: 1, baseline: 'noted' },
  retrain: { onVersion: false, minNewSamples: 1, maxPerDay: 1000 },
};

const uploadWidth = 32;
const maxTries = 10;
const addressesAtOnce = 1000;
const addresses = z.object({
  value: z.array(z.object({ url: z.string(), headers: z.record(z.string(), z.string()) })),
});

/** Repeats, as clients do, what got no connection or 503; in a storm both are answers. */
async function patiently(send: () => Promise<Response>): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const answer = await send().catch((error: Error) => error);
    const done = answer instanceof Response && answer.status !== 503;
    if (done) return answer;
    if (tries === maxTries) throw answer instanceof Response ? new Error(`${maxTries} times 503`) : answer;
    await sleep(tries * 500);
  }
}

/** Starts it below a folder of its own. */
export async function startStormy(): Promise<Stormy> {
  const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-storms-'));
  const models = path.join(folder, 'models');
  const { entry } = await buildApp();
  const platform = await startApp({ dataDir: path.join(folder, 'data'), jobCommand: await fixtureJob(models) });
  const ports = connect(readConfig(platform.settings));
  const key = await createKey(platform.settings, 'operator');
  const call: Stormy['call'] = async (method, route, body, headers = {}) => {
    const sent = Buffer.isBuffer(body) ? new Uint8Array(body) : body === undefined ? undefined : JSON.stringify(body);
    const response = await patiently(() =>
      fetch(`${platform.addresses.http}/api/v1${route}`, {
        method,
        headers: { 'x-api-key': key, 'content-type': 'application/json', ...headers },
        ...(sent === undefined ? {} : { body: sent }),
      }),
    );
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  };
  const upload: Stormy['upload'] = async (project, from, to) => {
    for (let first = from; first < to; first += addressesAtOnce) {
      const numbers = Array.from({ length: Math.min(addressesAtOnce, to - first) }, (_, i) => first + i);
      const files = numbers.map((n) => ({ name: `${n}.png`, label: n % 2 === 0 ? 'dark' : 'light' }));
      const answer = await call('POST', `/projects/${project}/upload-urls`, {
        files: files.map((file) => ({ ...file, contentType: 'image/png' })),
      });
      await pMap(
        addresses.parse(answer.body).value,
        async ({ url, headers }) => {
          const n = Number(/(\d+)\.png/.exec(url)?.[1]);
          const body = new Uint8Array(await tile(n));
          const put = await patiently(() => fetch(url, { method: 'PUT', headers, body }));
          // not 201 at a repetition: the address creates one blob once, and an earlier try had created it
          if (![201, 403, 409].includes(put.status)) throw new Error(`PUT of tile ${n} answered ${put.status}`);
          await put.arrayBuffer();
        },
        { concurrency: uploadWidth },
      );
    }
  };
  return {
    ...{ platform, ports, entry, folder, call, upload },
    async makeProject(name, more = {}) {
      const made = await call('PUT', `/projects/${name}`, { ...settings, ...more });
      if (made.status !== 201) throw new Error(`the project ${name} was not made: ${JSON.stringify(made.body)}`);
    },
    release: () => writeFile(path.join(models, 'released'), ''),
    async close() {
      await platform.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when the project has a version with so many samples, and nothing of it is left to do. */
export const untilCommitted = ({ ports }: Stormy, project: string, samples: number): Promise<unknown> =>
  vi.waitUntil(
    async () => {
      const head = (await ports.documents.read('heads', project, 'head'))?.document;
      if (head?.head?.samples !== samples || head.unfinished) return false;
      return (await ports.documents.count('staged', { pk: project })) === 0;
    },
    { ...soon, timeout: Math.max(60_000, samples * 60) },
  );

/** Resolves when the run has ended, with its document. */
export const untilEnded = ({ ports }: Stormy, project: string, run: string) =>
  vi.waitUntil(async () => {
    const document = (await ports.documents.read('runs', project, run))?.document;
    return document?.endedAt ? document : undefined;
  }, soon);

/** Resolves when no training of the project runs or waits. */
export const untilIdle = ({ ports }: Stormy, project: string): Promise<unknown> =>
  vi.waitUntil(async () => {
    const scheduler = (await ports.documents.read('schedulers', project, 'scheduler'))?.document;
    return scheduler !== undefined && scheduler.active === null && scheduler.waiting === null;
  }, soon);

/** How many there are of each. */
export const countBy = (values: unknown[]): Record<string, number> =>
  values.reduce<Record<string, number>>((n, v) => ({ ...n, [String(v)]: (n[String(v)] ?? 0) + 1 }), {});

/** Runs of a project, oldest first. */
export async function runsOf({ ports }: Stormy, project: string) {
  const orderBy = { field: 'createdAt' as const, descending: false };
  const { items } = await ports.documents.query('runs', { pk: project, limit: 200, orderBy });
  return items.map(({ document }) => document);
}

/** How many jobs compute was asked for. */
export async function jobsOf(it: Stormy, project: string): Promise<number> {
  const runs = new Set((await runsOf(it, project)).map(({ id }) => id));
  return (await it.ports.compute.list()).filter((e) => runs.has(e.environment['DARKROOM_RUN'] ?? '')).length;
}

/** Asks for a training and waits for its end. */
export async function train(it: Stormy, project: string, body: Record<string, unknown>) {
  const asked = await it.call('POST', `/projects/${project}/trainings`, body);
  expect(asked.status).toBe(202);
  return untilEnded(it, project, String(asked.body['id']));
}
