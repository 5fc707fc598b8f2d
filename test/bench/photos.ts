/** Scoring photos of 1,600x1,200 pixels at 224 with a model of the size of MobileNet, as many clients do at once. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import pMap from 'p-map';
import sharp from 'sharp';
import { buildApp } from '../../local/build.ts';
import { createKey } from '../../local/first-key.ts';
import { startFunctionsHost } from '../../local/functions-host/host.ts';
import { newEndpoint } from '../../shared/endpoint/endpoint.ts';
import { modelBlob } from '../../shared/model/artifact.ts';
import { registerModel } from '../../shared/model/register.ts';
import { atMost, type Bench, type Figure, figure, median, quantile } from './bench.ts';
import { mobileNet } from './mobilenet.ts';
import { type BenchPlatform, send, startBenchPlatform } from './platform.ts';

const project = 'photos';
const size = 224;
const classes = Array.from({ length: 10 }, (_, i) => `class-${i}`);

/** A picture with detail at every scale, as photos have it: some 400 KB. */
export async function photo(seed: number, width = 1600, height = 1200): Promise<Buffer> {
  const layers = await Promise.all(
    [8, 32, 128, 512].map(async (side, layer) => {
      const noise = Buffer.alloc(side * side * 3);
      // multiplier of Knuth's multiplicative hashing: the same picture at every run
      noise.forEach((_, i) => (noise[i] = Math.imul(i + 1 + seed * 7919 + layer, 0x9e3779b1) >>> 24));
      const raw = { width: side, height: side, channels: 3 as const };
      return sharp(noise, { raw }).resize(width, height, { fit: 'fill', kernel: 'cubic' }).raw().toBuffer();
    }),
  );
  const pixels = Buffer.alloc(width * height * 3);
  const shares = [0.5, 0.25, 0.15, 0.1];
  for (let i = 0; i < pixels.length; i++)
    pixels[i] = layers.reduce((sum, layer, at) => sum + (layer[i] ?? 0) * (shares[at] ?? 0), 0);
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** Puts a live model into a new project. */
async function serve(platform: BenchPlatform): Promise<void> {
  await platform.call('PUT', `/projects/${project}`, { classes });
  const { documents, blobs } = platform.ports;
  const bytes = Buffer.from(mobileNet(size, classes.length));
  const digest = createHash('sha256').update(bytes).digest('hex');
  await blobs.create('models', modelBlob(project, digest), bytes);
  const model = await registerModel(documents, {
    ...{ pk: project, state: 'approved', digest, sizeBytes: bytes.length, task: 'classification', classes },
    ...{ image: { width: size, height: size, channels: 3 }, run: 'bench', version: { id: 'bench', number: 1 } },
    ...{
      metrics: {},
      verdict: { decision: 'approved', reasons: [], samples: 0 },
      smoke: [],
      createdAt: '',
      decidedBy: null,
    },
    lineage: { trainer: 'bench', parameters: {}, seed: 0, code: null },
  });
  const production = { model: model.number, digest, deployment: 'bench' };
  const created = await documents.create('endpoints', { id: 'endpoint', pk: project, ...newEndpoint, production });
  if (created === 'exists') throw new Error('the endpoint is there already');
}

async function load(platform: BenchPlatform, photos: Buffer[], clients: number, count: number): Promise<Figure[]> {
  const many = Array.from({ length: count }, (_, i) => photos[i % photos.length] ?? Buffer.alloc(0));
  const times: number[] = [];
  const from = performance.now();
  const score = async (bytes: Buffer): Promise<void> => {
    const startedAt = performance.now();
    await platform.call('POST', `/projects/${project}/score`, bytes, { 'content-type': 'image/jpeg' });
    times.push(performance.now() - startedAt);
  };
  await pMap(many, score, { concurrency: clients });
  const perSecond = count / ((performance.now() - from) / 1000);
  const name = `photos-${clients}-clients`;
  return [
    figure(`${name}-per-second`, perSecond, 'requests/s'),
    figure(`${name}-p50-ms`, median(times), 'ms'),
    figure(`${name}-p99-ms`, quantile(times, 0.99), 'ms'),
    atMost(`${name}-p99-over-p50`, quantile(times, 0.99) / median(times), 'ratio', 3),
  ];
}

/** Milliseconds from nothing to the first answer of a functions host: its process, the app, the model, the picture. */
async function firstScoreMs(platform: BenchPlatform, bytes: Buffer): Promise<number> {
  const { entry } = await buildApp();
  const key = await createKey(platform.settings, 'first-score');
  const startedAt = performance.now();
  const host = await startFunctionsHost({
    ...{ appRoot: path.resolve(import.meta.dirname, '../..'), entry, port: 0, settings: platform.settings },
    // as an instance of Azure that serves HTTP
    ...{ functions: ['api-score-post'], onLog: () => undefined },
  });
  const headers = { 'x-api-key': key, 'content-type': 'image/jpeg' };
  const url = `http://127.0.0.1:${host.port}/api/v1/projects/${project}/score`;
  const { status, text } = await send(url, { method: 'POST', headers, body: bytes });
  const took = performance.now() - startedAt;
  await host.close();
  if (status !== 200) throw new Error(`the first score was answered ${status}: ${text}`);
  return took;
}

export const photos: Bench = async ({ quick, say }) => {
  const pictures = await Promise.all(Array.from({ length: 8 }, (_, seed) => photo(seed)));
  const bytes = pictures.reduce((sum, { length }) => sum + length, 0) / pictures.length;
  say(`photos of ${Math.round(bytes / 1024)} KB`);
  const platform = await startBenchPlatform();
  try {
    await serve(platform);
    await load(platform, pictures, 16, 100);
    const figures: Figure[] = [];
    for (const clients of [16, 64]) figures.push(...(await load(platform, pictures, clients, quick ? 300 : 1500)));
    const starts: number[] = [];
    for (let i = 0; i < (quick ? 1 : 5); i++) starts.push(await firstScoreMs(platform, pictures[0] ?? Buffer.alloc(0)));
    figures.push(figure('start-to-first-score-ms', median(starts), 'ms'));
    const { now, most } = await platform.workerMemory();
    return [...figures, figure('photos-memory', now, 'MB'), figure('photos-peak-memory', most, 'MB')];
  } finally {
    await platform.close();
  }
};
