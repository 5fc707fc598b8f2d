/** Loaded models by digest: few at a time, each loaded once, none released while it computes. */
import { createHash } from 'node:crypto';
import { floatsOf, floatTensor, imagesPerRun, openGraph } from './engine.ts';
import type { GraphSession } from './engine.ts';
import type { ModelSpec } from './validate.ts';

export interface ModelCache {
  /**
   * Probabilities of each image (CHW floats 0..255), in order. `load` is called only when the digest's model is not loaded.
   * Rejects when its bytes have another sha-256 than `digest` (lower-case hex), or when an image has another size than `spec`.
   */
  score(
    digest: string,
    load: () => Promise<Buffer>,
    tensors: Float32Array[],
    spec: ModelSpec,
  ): Promise<{ probabilities: number[][] }>;
  /** Releases every model once it is idle. */
  release(): Promise<void>;
}

interface Entry {
  session: Promise<GraphSession>;
  /** calls that hold the session, loading included */
  users: number;
}

async function open(digest: string, load: () => Promise<Buffer>, threads: number): Promise<GraphSession> {
  const bytes = await load();
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== digest) throw new Error(`model bytes have the digest ${actual} instead of ${digest}`);
  return openGraph(bytes, threads);
}

async function runBatch(session: GraphSession, images: Float32Array[], spec: ModelSpec): Promise<number[][]> {
  const size = spec.channels * spec.height * spec.width;
  const pixels = new Float32Array(images.length * size);
  images.forEach((image, i) => pixels.set(image, i * size));
  const dims = [images.length, spec.channels, spec.height, spec.width];
  const probabilities = floatsOf((await session.run({ input: floatTensor(pixels, dims) }))['probabilities']);
  if (probabilities.length !== images.length * spec.classes) {
    throw new Error(
      `the model gave ${probabilities.length} numbers for ${images.length} images of ${spec.classes} classes`,
    );
  }
  if (!probabilities.every(Number.isFinite)) throw new Error('the model gave numbers that are not finite');
  return images.map((_, i) => Array.from(probabilities.subarray(i * spec.classes, (i + 1) * spec.classes)));
}

/** A cache of at most `maxModels` idle models, each running on `threads` CPU threads. */
export function createModelCache(options: { maxModels: number; threads: number }): ModelCache {
  // a Map keeps insertion order: the first entry is the least recently used
  const entries = new Map<string, Entry>();
  let closed = false;

  const drop = async (digest: string, entry: Entry): Promise<void> => {
    if (entries.get(digest) === entry) entries.delete(digest);
    await entry.session.then(
      (session) => session.release(),
      () => undefined, // a model that never loaded holds nothing
    );
  };

  const evict = async (): Promise<void> => {
    const keep = closed ? 0 : options.maxModels;
    for (const [digest, entry] of entries) {
      if (entries.size <= keep) return;
      if (entry.users === 0) await drop(digest, entry);
    }
  };

  const acquire = (digest: string, load: () => Promise<Buffer>): Entry => {
    const entry = entries.get(digest) ?? { session: open(digest, load, options.threads), users: 0 };
    entries.delete(digest);
    entries.set(digest, entry);
    entry.users++;
    return entry;
  };

  return {
    async score(digest, load, tensors, spec) {
      if (closed) throw new Error('the model cache is closed');
      const size = spec.channels * spec.height * spec.width;
      const odd = tensors.find((tensor) => tensor.length !== size);
      if (odd !== undefined) throw new Error(`an image has ${odd.length} values instead of ${size}`);
      const entry = acquire(digest, load);
      try {
        const session = await entry.session;
        const probabilities: number[][] = [];
        for (let at = 0; at < tensors.length; at += imagesPerRun) {
          probabilities.push(...(await runBatch(session, tensors.slice(at, at + imagesPerRun), spec)));
        }
        return { probabilities };
      } catch (error) {
        // a failed load is not remembered: the next call tries again
        if (entries.get(digest) === entry) entries.delete(digest);
        throw error;
      } finally {
        entry.users--;
        if (entries.get(digest) !== entry && entry.users === 0) await drop(digest, entry);
        await evict();
      }
    },
    async release() {
      closed = true;
      await evict();
    },
  };
}
