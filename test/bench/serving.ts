/** Scoring through HTTP against a bare loop of the same decode and the same model, and evaluation in shards. */
import { createImageReader } from '../../shared/image/decode.ts';
import { toTensor } from '../../shared/image/tensor.ts';
import { contender, judgeTestSplit, shardSize } from '../../shared/evaluation/shards.ts';
import { createModelCache } from '../../shared/onnx/session.ts';
import { loadModel } from '../../shared/registry/artifact.ts';
import { modelId } from '../../shared/registry/register.ts';
import { inBatches } from '../../shared/parallel.ts';
import { atMost, type Bench, figure, median, quantile } from './bench.ts';
import { digitPng, scans } from './digits.ts';
import { startBenchPlatform } from './platform.ts';

const project = 'served';

export const serving: Bench = async ({ quick, say }) => {
  const count = quick ? 400 : 4000;
  const platform = await startBenchPlatform();
  try {
    // half of the samples are test samples, so that 2,000 are evaluated
    const settings = {
      trainer: { name: 'softmax' },
      gate: { minimum: 0.3, minimumRecall: 0 },
      split: { validationPercent: 5, testPercent: 45 },
      commit: { quietSeconds: 3, maxWaitSeconds: 600 },
    };
    await platform.call('PUT', `/projects/${project}`, settings);
    say(`uploading ${count} digits and training on them`);
    await platform.upload(project, await scans(0, count));
    await platform.until(`/projects/${project}/endpoint`, ({ production }) => production !== null);
    const head = await platform.call('GET', `/projects/${project}/versions/head`);
    const model = await platform.ports.documents.read('models', project, modelId(1));
    if (model === undefined) throw new Error('no model was registered');
    const { digest, classes, image } = model.document;

    const images = await Promise.all(Array.from({ length: 50 }, (_, i) => digitPng(i % 10, 900 + Math.floor(i / 10))));
    const reader = createImageReader();
    const models = createModelCache({ maxModels: 1, threads: 1 });
    const load = () => loadModel(platform.ports.blobs, project, digest);
    const spec = { ...image, classes: classes.length };
    const bare = async (bytes: Buffer): Promise<void> => {
      const seen = await reader.preprocess(bytes, 'image/png', image);
      if (!seen.ok) throw new Error(seen.detail);
      await models.score(digest, load, [seen.tensor], spec);
    };
    const overHttp = (bytes: Buffer) =>
      platform.call('POST', `/projects/${project}/score`, bytes, { 'content-type': 'image/png' });
    const timed = async (work: (bytes: Buffer) => Promise<unknown>): Promise<number[]> => {
      const times: number[] = [];
      for (const bytes of images) {
        const startedAt = performance.now();
        await work(bytes);
        times.push(performance.now() - startedAt);
      }
      return times;
    };
    const paired = async (rounds: number) => {
      const pairs: { bare: number[]; http: number[] }[] = [];
      for (let round = 0; round < rounds; round++) pairs.push({ bare: await timed(bare), http: await timed(overHttp) });
      return pairs;
    };
    const overhead = (pairs: { bare: number[]; http: number[] }[]): number =>
      median(pairs.flatMap(({ http }) => http)) - median(pairs.flatMap((pair) => pair.bare));
    const cold = await paired(quick ? 2 : 10);
    // the first two thousand requests pay for the just-in-time compiler, which takes a core of its own meanwhile
    await paired(quick ? 6 : 30);
    const warm = await paired(quick ? 4 : 40);
    const http = warm.flatMap((pair) => pair.http);
    const byRound = warm.map((pair) => overhead([pair]));
    say(
      `bare p50 ${median(warm.flatMap((pair) => pair.bare)).toFixed(2)} ms; HTTP p50 ${median(http).toFixed(2)}, p99 ${quantile(http, 0.99).toFixed(2)} ms; ` +
        `overhead of the fastest 50 ${Math.min(...byRound).toFixed(2)}, of the slowest ${Math.max(...byRound).toFixed(2)} ms`,
    );

    const many = Array.from({ length: quick ? 400 : 2000 }, (_, i) => images[i % images.length] ?? Buffer.alloc(0));
    const from = performance.now();
    await inBatches(many, 16, overHttp);
    const perSecond = many.length / ((performance.now() - from) / 1000);

    const candidate = contender(platform.ports.blobs, model.document);
    const root = String(head['root']);
    const ports = {
      blobs: withoutShards(platform.ports.blobs),
      toTensor,
      infer: (...call: Parameters<typeof models.score>) => models.score(...call),
    };
    const startedAt = performance.now();
    const judged = await judgeTestSplit(ports, {
      project,
      root,
      candidate,
      champion: candidate,
      outOfTime: () => false,
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const per = judged.length === 0 || judged === 'continue' ? Number.NaN : seconds / judged.length;
    await models.release();
    return [
      atMost('score-overhead-ms', overhead(warm), 'ms', 3),
      figure('score-overhead-first-500-ms', overhead(cold), 'ms'),
      figure('score-p99-ms', quantile(http, 0.99), 'ms'),
      figure('score-per-second-16-clients', perSecond, 'requests/s'),
      figure('evaluation-seconds-per-2000-images', per * 2000, 's'),
      figure('evaluation-seconds-per-shard', per * shardSize, 's'),
    ];
  } finally {
    await platform.close();
  }
};

/** The pipeline has judged these samples already and kept the shards; here they are judged again. */
function withoutShards<
  T extends { get: (...call: never[]) => Promise<unknown>; create: (...call: never[]) => unknown },
>(blobs: T): T {
  const get = (...call: Parameters<T['get']>) =>
    String(call[1]).includes('/evaluations/') ? Promise.resolve(undefined) : blobs.get(...call);
  return { ...blobs, get, create: () => Promise.resolve('created') };
}
