import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { createModelCache } from '../../../shared/onnx/session.ts';
import { tinyModel, tinySpec } from './tiny-model.ts';

const modelFile = (bias: number): { bytes: Buffer; digest: string } => {
  const bytes = Buffer.from(encodeModel(tinyModel(bias)));
  return { bytes, digest: createHash('sha256').update(bytes).digest('hex') };
};

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
/** logits are 3 + bias and -3 */
const expected = (bias: number): number => 1 / (1 + Math.exp(-6 - bias));

describe('model cache', () => {
  test('scores images in order', async () => {
    const cache = createModelCache({ maxModels: 2, threads: 1 });
    const { bytes, digest } = modelFile(0);
    const images = Array.from({ length: 70 }, (_, i) => Float32Array.of(i / 100, 0, 0, 0));
    const { probabilities } = await cache.score(digest, loader(bytes).load, [...images, image], tinySpec);
    expect(probabilities).toHaveLength(71);
    expect(probabilities[70]?.[0]).toBeCloseTo(expected(0), 5);
    expect(probabilities[50]?.[0]).toBeCloseTo(1 / (1 + Math.exp(-0.1)), 5);
    await cache.release();
  });

  test('loads a model once for calls at the same time', async () => {
    const cache = createModelCache({ maxModels: 2, threads: 1 });
    const { bytes, digest } = modelFile(1);
    const { counter, load } = loader(bytes);
    await Promise.all(Array.from({ length: 5 }, () => cache.score(digest, load, [image], tinySpec)));
    expect(counter.calls).toBe(1);
    await cache.release();
  });

  test('refuses bytes of another digest, and tries again later', async () => {
    const cache = createModelCache({ maxModels: 2, threads: 1 });
    const { bytes, digest } = modelFile(2);
    const damaged = Buffer.from(bytes);
    damaged[damaged.length - 1] = 0;
    await expect(cache.score(digest, loader(damaged).load, [image], tinySpec)).rejects.toThrow('digest');
    const { probabilities } = await cache.score(digest, loader(bytes).load, [image], tinySpec);
    expect(probabilities[0]?.[0]).toBeCloseTo(expected(2), 5);
    await cache.release();
  });

  test('refuses answers that are no numbers, which compare with nothing', async () => {
    const cache = createModelCache({ maxModels: 2, threads: 1 });
    const { bytes, digest } = modelFile(Number.NaN);
    await expect(cache.score(digest, loader(bytes).load, [image], tinySpec)).rejects.toThrow('not finite');
    await cache.release();
  });

  test('forgets the least recently used model', async () => {
    const cache = createModelCache({ maxModels: 2, threads: 1 });
    const files = [modelFile(0), modelFile(1), modelFile(2)].map((file) => ({ ...file, ...loader(file.bytes) }));
    for (const index of [0, 1, 0, 2, 0, 1]) {
      const file = files[index];
      if (file !== undefined) await cache.score(file.digest, file.load, [image], tinySpec);
    }
    expect(files.map(({ counter }) => counter.calls)).toEqual([1, 2, 1]);
    await cache.release();
  });

  test('keeps every model that is in use, even beyond its bound', async () => {
    const cache = createModelCache({ maxModels: 1, threads: 1 });
    const many = Array.from({ length: 200 }, () => image);
    const scores = await Promise.all(
      [0, 1, 2, 3].map((bias) => {
        const { bytes, digest } = modelFile(bias);
        return cache.score(digest, loader(bytes).load, many, tinySpec);
      }),
    );
    scores.forEach(({ probabilities }, bias) => expect(probabilities[199]?.[0]).toBeCloseTo(expected(bias), 5));
    await cache.release();
  });

  test('is not released under a running call, and takes none afterwards', async () => {
    const cache = createModelCache({ maxModels: 1, threads: 1 });
    const { bytes, digest } = modelFile(0);
    const running = cache.score(digest, loader(bytes).load, [image], tinySpec);
    await cache.release();
    await expect(running).resolves.toMatchObject({ probabilities: [[expect.any(Number), expect.any(Number)]] });
    await expect(cache.score(digest, loader(bytes).load, [image], tinySpec)).rejects.toThrow('closed');
  });

  test('refuses an image of another size', async () => {
    const cache = createModelCache({ maxModels: 1, threads: 1 });
    const { bytes, digest } = modelFile(0);
    await expect(cache.score(digest, loader(bytes).load, [new Float32Array(3)], tinySpec)).rejects.toThrow('3 values');
  });
});
