/** Scoring through HTTP against a bare loop of the same decode and model and a bare answer of the same host; evaluation in shards. */
import pMap from 'p-map';
import { createImageReader } from '../../shared/image/decode.ts';
import { evaluatedModel } from '../../shared/evaluation/shards.ts';
import { floatsOf, floatTensor, openGraph } from '../../shared/onnx/engine.ts';
import { createModelCache } from '../../shared/onnx/session.ts';
import { createModelWorkers } from '../../shared/onnx/workers.ts';
import type { ModelDocument } from '../../shared/model/document.ts';
import { loadModel } from '../../shared/model/artifact.ts';
import { modelId } from '../../shared/model/register.ts';
import { atMost, type Bench, type BenchOptions, type Figure, figure, median, quantile } from './bench.ts';
import { digitPng, scans } from './digits.ts';
import { defaultModel, evaluation } from './evaluation.ts';
import { startBareHost } from './bare-host.ts';
import { type BenchPlatform, send, startBenchPlatform } from './platform.ts';

const project = 'served';
/** A score finds key and project, and writes and signs a record with an HTTP call of its own: 2.9 when this was measured. */
const maxOverheadRatio = 3.5;

const pngBody = { 'content-type': 'image/png' };

type Score = (bytes: Buffer) => Promise<unknown>;
/** Milliseconds of the same images: decode and model alone, a bare answer of the host, and scores. */
interface Round {
  bare: number[];
  answer: number[];
  score: number[];
}
type Timed = keyof Round;

/** Uploads digits and waits until a model of them serves. */
async function servedModel(platform: BenchPlatform, count: number): Promise<ModelDocument> {
  // half of the samples are test samples, so that about 2,000 are evaluated
  const settings = {
    trainer: { name: 'softmax' },
    gate: { minimum: 0.3, minimumRecall: 0 },
    split: { validationPercent: 5, testPercent: 45 },
    commit: { quietSeconds: 3, maxWaitSeconds: 600 },
  };
  await platform.call('PUT', `/projects/${project}`, settings);
  await platform.upload(project, await scans(0, count));
  await platform.until(`/projects/${project}/endpoint`, ({ production }) => production !== null);
  const model = await platform.ports.documents.read('models', project, modelId(1));
  if (model === undefined) throw new Error('no model was registered');
  return model.document;
}

/** Decode and onnxruntime, with the options of the served sessions and nothing else of ours around them. */
async function bareLoop(
  platform: BenchPlatform,
  model: ModelDocument,
): Promise<{ score: Score; end(): Promise<void> }> {
  const { digest, image } = model;
  const reader = createImageReader();
  const session = await openGraph(await loadModel(platform.ports.blobs, project, digest), 1);
  return {
    async score(bytes) {
      const seen = await reader.preprocess(bytes, 'image/png', image);
      if (!seen.ok) throw new Error(seen.detail);
      const input = floatTensor(seen.tensor, [1, image.channels, image.height, image.width]);
      return floatsOf((await session.run({ input }))['probabilities']);
    },
    end: () => session.release(),
  };
}

async function timed(images: Buffer[], score: Score): Promise<number[]> {
  const times: number[] = [];
  for (const bytes of images) {
    const startedAt = performance.now();
    await score(bytes);
    times.push(performance.now() - startedAt);
  }
  return times;
}

const medianOf = (rounds: Round[], what: Timed): number => median(rounds.flatMap((round) => round[what]));
const overhead = (rounds: Round[]): number => medianOf(rounds, 'score') - medianOf(rounds, 'bare');

/** What a score takes beyond decode and model, in bare answers of the same host to the same bodies; rounds of 50 images. */
async function overheads(
  images: Buffer[],
  ways: Record<Timed, Score>,
  { quick, say }: BenchOptions,
): Promise<Figure[]> {
  const measured = async (count: number): Promise<Round[]> => {
    const rounds: Round[] = [];
    for (let round = 0; round < count; round++)
      rounds.push({
        bare: await timed(images, ways.bare),
        answer: await timed(images, ways.answer),
        score: await timed(images, ways.score),
      });
    return rounds;
  };
  const cold = await measured(quick ? 2 : 10);
  // the first two thousand requests pay for the just-in-time compiler, which takes a core of its own meanwhile
  await measured(quick ? 6 : 30);
  const warm = await measured(quick ? 4 : 40);
  const times = warm.flatMap(({ score }) => score);
  const byRound = warm.map((round) => overhead([round]));
  say(
    `decode and model p50 ${medianOf(warm, 'bare').toFixed(2)} ms; bare answer p50 ${medianOf(warm, 'answer').toFixed(2)}; ` +
      `score p50 ${median(times).toFixed(2)}, p99 ${quantile(times, 0.99).toFixed(2)} ms; ` +
      `overhead of the fastest 50 ${Math.min(...byRound).toFixed(2)}, of the slowest ${Math.max(...byRound).toFixed(2)} ms`,
  );
  if (quick) say('not warm after so few requests, so the overhead is not judged');
  const ratio = overhead(warm) / medianOf(warm, 'answer');
  return [
    quick
      ? figure('score-overhead-ratio', ratio, 'bare answers')
      : atMost('score-overhead-ratio', ratio, 'bare answers', maxOverheadRatio),
    figure('score-overhead-ms', overhead(warm), 'ms'),
    figure(`score-overhead-first-${cold.length * images.length}-ms`, overhead(cold), 'ms'),
    figure('score-p99-ms', quantile(times, 0.99), 'ms'),
  ];
}

/** Requests per second with 16 at a time. */
async function throughput(images: Buffer[], http: Score, count: number): Promise<number> {
  const many = Array.from({ length: count }, (_, i) => images[i % images.length] ?? Buffer.alloc(0));
  const from = performance.now();
  await pMap(many, http, { concurrency: 16 });
  return many.length / ((performance.now() - from) / 1000);
}

export const serving: Bench = async (options) => {
  const { quick, say } = options;
  const count = quick ? 400 : 4000;
  const platform = await startBenchPlatform();
  const workers = createModelWorkers();
  const models = createModelCache(workers, { owner: 'bench', maxBytes: 64 * 1024 * 1024, keepsRunMemory: true });
  try {
    say(`uploading ${count} digits and training on them`);
    const model = await servedModel(platform, count);
    // none of them is among the uploads
    const images = await Promise.all(Array.from({ length: 50 }, (_, i) => digitPng(i % 10, 800 + Math.floor(i / 10))));
    const bare = await bareLoop(platform, model);
    const http: Score = (bytes) => platform.call('POST', `/projects/${project}/score`, bytes, pngBody);
    const answerBytes = JSON.stringify(await http(images[0] ?? Buffer.alloc(0))).length;
    const host = await startBareHost();
    const answer: Score = (body) => send(host.url(answerBytes), { method: 'POST', headers: pngBody, body });
    const scored = await overheads(images, { bare: bare.score, answer, score: http }, options);
    await bare.end();
    await host.close();
    const perSecond = await throughput(images, http, quick ? 400 : 2000);

    const { root } = await platform.call('GET', `/projects/${project}/versions/head`);
    const split = { blobs: platform.ports.blobs, models, project, root: String(root) };
    const served = evaluatedModel(platform.ports.blobs, model);
    return [
      ...scored,
      figure('score-per-second-16-clients', perSecond, 'requests/s'),
      ...(await evaluation(split, 'softmax', served, say)),
      ...(await evaluation(split, 'resnet-small', await defaultModel(served), say)),
    ];
  } finally {
    await models.release();
    await workers.close();
    await platform.close();
  }
};
