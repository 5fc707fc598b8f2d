import { createHash } from 'node:crypto';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { createModelCheck } from '../../../shared/onnx/model-check.ts';
import { createModelCache } from '../../../shared/onnx/session.ts';
import { createModelWorkers } from '../../../shared/onnx/workers.ts';
import type { NamedTensors } from '../../../shared/onnx/ends.ts';
import { probabilitiesOf } from '../../../shared/task/classification/ends.ts';
import { tinyEnds, tinyModel } from './tiny-model.ts';

const modelFile = (bias: number): { bytes: Buffer; digest: string } => {
  const bytes = Buffer.from(encodeModel(tinyModel(bias)));
  return { bytes, digest: createHash('sha256').update(bytes).digest('hex') };
};

const megabyte = 1024 * 1024;
// a session counts as 8 MB and some
const one = { owner: 'test', maxBytes: 9 * megabyte, keepsRunMemory: true };
const two = { ...one, maxBytes: 18 * megabyte };

/** A loader that counts its calls. */
const loader = (bytes: Buffer) => {
  const counter = { calls: 0 };
  const load = (): Promise<Buffer> => {
    counter.calls++;
    return Promise.resolve(bytes);
  };
  return { counter, load };
};

const image = Float32Array.of(1, 2, 3, 4);
const rowsOf = (answers: NamedTensors[]) => answers.map((outputs) => probabilitiesOf(outputs, 2));
/** logits are 3 + bias and -3 */
const expected = (bias: number): number => 1 / (1 + Math.exp(-6 - bias));

const endingProgram = path.join(import.meta.dirname, '../../fixtures/ending-worker.ts');

const workers = createModelWorkers(1);
afterAll(() => workers.close());

/** With a second output, which it need not have. */
function withEmbedding(name: string, size = 3): Buffer {
  const tiny = tinyModel();
  const weights = { name: 'more', dims: [4, size], data: Float32Array.from({ length: 4 * size }, (_, i) => i) };
  const more = { op: 'MatMul', inputs: ['flat', 'more'], outputs: [name] };
  const outputs = [...tiny.outputs, { name, shape: ['N', size] }];
  const initialisers = [...tiny.initialisers, weights];
  return Buffer.from(encodeModel({ ...tiny, nodes: [...tiny.nodes, more], outputs, initialisers }));
}

describe('an output that a model may have besides', () => {
  test('passes validation and probe, unless it has another name or more numbers than it may', async () => {
    const check = createModelCheck({ timeoutMs: 20_000, maxMemoryBytes: 1 << 30 });
    expect(await check(withEmbedding('embedding'), tinyEnds)).toMatchObject({ ok: true });
    expect(await check(withEmbedding('feelings'), tinyEnds)).toMatchObject({ ok: false, reason: 'wrong-output' });
    expect(await check(withEmbedding('embedding', 5000), tinyEnds)).toMatchObject({
      reason: 'wrong-output',
      detail: expect.stringContaining('(and, if you like, embedding [N, size]), found probabilities'),
    });
  });

  test('that is not-a-number for a plain picture is refused', async () => {
    const check = createModelCheck({ timeoutMs: 20_000, maxMemoryBytes: 1 << 30 });
    const tiny = tinyModel();
    const minus = { op: 'Neg', inputs: ['flat'], outputs: ['minus'] };
    const root = { op: 'Sqrt', inputs: ['minus'], outputs: ['embedding'] };
    const outputs = [...tiny.outputs, { name: 'embedding', shape: ['N', 4] }];
    const bytes = encodeModel({ ...tiny, nodes: [...tiny.nodes, minus, root], outputs });
    expect(await check(bytes, tinyEnds)).toMatchObject({ ok: false, reason: 'no-embeddings' });
  });

  test('comes to those who ask for it, and to nobody else', async () => {
    const bytes = withEmbedding('embedding');
    const digest = createHash('sha256').update(bytes).digest('hex');
    const cache = createModelCache(workers, one);
    const load = (): Promise<Buffer> => Promise.resolve(bytes);
    const [plain] = await cache.run(digest, load, [image], tinyEnds);
    expect(Object.keys(plain ?? {})).toEqual(['probabilities']);
    const [more] = await cache.run(digest, load, [image], tinyEnds, ['embedding']);
    expect(Array.from(more?.['embedding']?.data ?? [])).toEqual([60, 70, 80]);
    expect(more?.['probabilities']).toEqual(plain?.['probabilities']);
    await cache.release();
  });
});

describe('model cache', () => {
  test('scores images in order', async () => {
    const cache = createModelCache(workers, two);
    const { bytes, digest } = modelFile(0);
    const images = Array.from({ length: 70 }, (_, i) => Float32Array.of(i / 100, 0, 0, 0));
    const probabilities = rowsOf(await cache.run(digest, loader(bytes).load, [...images, image], tinyEnds));
    expect(probabilities).toHaveLength(71);
    expect(probabilities[70]?.[0]).toBeCloseTo(expected(0), 5);
    expect(probabilities[50]?.[0]).toBeCloseTo(1 / (1 + Math.exp(-0.1)), 5);
    await cache.release();
  });

  test('loads a model once for calls at the same time', async () => {
    const cache = createModelCache(workers, two);
    const { bytes, digest } = modelFile(1);
    const { counter, load } = loader(bytes);
    await Promise.all(Array.from({ length: 5 }, () => cache.run(digest, load, [image], tinyEnds)));
    expect(counter.calls).toBe(1);
    await cache.release();
  });

  test('refuses bytes of another digest, and tries again later', async () => {
    const cache = createModelCache(workers, two);
    const { bytes, digest } = modelFile(2);
    const damaged = Buffer.from(bytes);
    damaged[damaged.length - 1] = 0;
    await expect(cache.run(digest, loader(damaged).load, [image], tinyEnds)).rejects.toThrow('digest');
    const probabilities = rowsOf(await cache.run(digest, loader(bytes).load, [image], tinyEnds));
    expect(probabilities[0]?.[0]).toBeCloseTo(expected(2), 5);
    await cache.release();
  });

  test('has no answer where the numbers are none, and answers for the other images', async () => {
    const cache = createModelCache(workers, two);
    // logits of some 1e39 overflow float32, and infinity minus infinity is no number
    const { bytes, digest } = modelFile(0);
    const huge = Float32Array.of(3e38, 3e38, 3e38, 3e38);
    const probabilities = rowsOf(
      await cache.run(digest, loader(bytes).load, [image, huge.map((v) => v * 1e3), image], tinyEnds),
    );
    expect(probabilities).toEqual([expect.any(Float32Array), null, expect.any(Float32Array)]);
    await cache.release();
  });

  test('forgets the least recently used model', async () => {
    const cache = createModelCache(workers, two);
    const files = [modelFile(0), modelFile(1), modelFile(2)].map((file) => ({ ...file, ...loader(file.bytes) }));
    for (const index of [0, 1, 0, 2, 0, 1]) {
      const file = files[index];
      if (file !== undefined) await cache.run(file.digest, file.load, [image], tinyEnds);
    }
    expect(files.map(({ counter }) => counter.calls)).toEqual([1, 2, 1]);
    await cache.release();
  });

  test('loads no more than fit, however many are asked for at once: the others wait', async () => {
    const cache = createModelCache(workers, two);
    let open = 0;
    let most = 0;
    const scores = await Promise.all(
      Array.from({ length: 12 }, async (_, bias) => {
        const { bytes, digest } = modelFile(bias);
        const load = (): Promise<Buffer> => {
          most = Math.max(most, ++open);
          return Promise.resolve(bytes);
        };
        const many = Array.from({ length: 100 }, () => image);
        return cache.run(digest, load, many, tinyEnds).finally(() => open--);
      }),
    );
    scores.forEach((answers, bias) => expect(rowsOf(answers)[99]?.[0]).toBeCloseTo(expected(bias), 5));
    // two of them read ahead while two compute
    expect(most).toBeLessThanOrEqual(4);
    await cache.release();
  });

  test('loads a model that is larger than the bound, alone', async () => {
    const cache = createModelCache(workers, { ...one, maxBytes: 1 });
    const files = [modelFile(0), modelFile(1)];
    const scores = await Promise.all(
      files.map(({ bytes, digest }) => cache.run(digest, loader(bytes).load, [image], tinyEnds)),
    );
    expect(scores.map((answers) => rowsOf(answers)[0]?.[0])).toEqual([
      expect.closeTo(expected(0), 5),
      expect.closeTo(expected(1), 5),
    ]);
    await cache.release();
  });

  test('goes on after a model that could not be loaded: its room is free again', async () => {
    const cache = createModelCache(workers, one);
    const { bytes, digest } = modelFile(0);
    for (let i = 0; i < 3; i++) {
      await expect(cache.run(digest, () => Promise.reject(new Error('away')), [image], tinyEnds)).rejects.toThrow(
        'away',
      );
    }
    const other = modelFile(1);
    await cache.run(other.digest, loader(other.bytes).load, [image], tinyEnds);
    const probabilities = rowsOf(await cache.run(digest, loader(bytes).load, [image], tinyEnds));
    expect(probabilities[0]?.[0]).toBeCloseTo(expected(0), 5);
    await cache.release();
  });

  test('is not released under a running call, and takes none afterwards', async () => {
    const cache = createModelCache(workers, one);
    const { bytes, digest } = modelFile(0);
    const running = cache.run(digest, loader(bytes).load, [image], tinyEnds);
    await cache.release();
    expect(rowsOf(await running)).toEqual([expect.any(Float32Array)]);
    await expect(cache.run(digest, loader(bytes).load, [image], tinyEnds)).rejects.toThrow('closed');
  });

  test('refuses an image of another size', async () => {
    const cache = createModelCache(workers, one);
    const { bytes, digest } = modelFile(0);
    await expect(cache.run(digest, loader(bytes).load, [new Float32Array(3)], tinyEnds)).rejects.toThrow('3 values');
  });

  test('loads a model that keeps its thread busy in one more, where there is room, and counts both', async () => {
    const { bytes, digest } = modelFile(0);
    const other = modelFile(1);
    const many = Array.from({ length: 8 }, () => image);
    for (const { room, copies } of [
      { room: two, copies: 2 },
      { room: one, copies: 1 },
    ]) {
      const threads = createModelWorkers(2);
      const cache = createModelCache(threads, room);
      const { counter, load } = loader(bytes);
      const ofOther = loader(other.bytes);
      await cache.run(digest, load, [image], tinyEnds);
      await Promise.all(many.map((one) => cache.run(digest, load, [one], tinyEnds)));
      // the copy may come after what it was meant for
      await expect.poll(() => counter.calls).toBe(copies);
      const probabilities = rowsOf(await cache.run(digest, load, many, tinyEnds));
      expect(probabilities[7]?.[0]).toBeCloseTo(expected(0), 5);
      // both copies have the room that the other model needs, so the first one is loaded anew
      await cache.run(other.digest, ofOther.load, [image], tinyEnds);
      await cache.run(digest, load, [image], tinyEnds);
      expect([counter.calls, ofOther.counter.calls]).toEqual([copies + 1, 1]);
      await cache.release();
      await threads.close();
    }
  });

  test('copies of a model that is never idle make room for another one', async () => {
    const threads = createModelWorkers(2);
    const cache = createModelCache(threads, two);
    const [busy, other] = [modelFile(0), modelFile(1)];
    const { counter, load } = loader(busy.bytes);
    const served = new AbortController();
    const keepBusy = async (): Promise<void> => {
      while (!served.signal.aborted) await cache.run(busy.digest, load, [image], tinyEnds);
    };
    const traffic = Array.from({ length: 4 }, keepBusy);
    await expect.poll(() => counter.calls).toBe(2);
    await cache.run(other.digest, loader(other.bytes).load, [image], tinyEnds);
    served.abort();
    await Promise.all(traffic);
    await cache.release();
    await threads.close();
  });

  test('runs that waited while another one ended the thread are run all the same', async () => {
    const threads = createModelWorkers(1, endingProgram);
    const cache = createModelCache(threads, two);
    const { bytes, digest } = modelFile(0);
    const { counter, load } = loader(bytes);
    const scores = [image, Float32Array.of(666, 2, 3, 4), image, image].map((one) =>
      cache.run(digest, load, [one], tinyEnds),
    );
    const [, ended, ...others] = await Promise.allSettled(scores);
    expect(ended).toMatchObject({ status: 'rejected', reason: { name: 'RetryLater' } });
    expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(counter.calls).toBe(2);
    await cache.release();
    await threads.close();
  });
});
