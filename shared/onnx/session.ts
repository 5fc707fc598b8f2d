/** Loaded models by digest: as many as fit into a bound of bytes, each loaded once, none released while it computes. */
import { createHash } from 'node:crypto';
import { createBudget, type Share } from '../budget.ts';
import { RetryLater } from '../errors.ts';
import { floatsOf, floatTensor, imagesPerRun, openGraph, type GraphSession } from './engine.ts';
import { areProbabilities } from './probabilities.ts';
import type { ModelSpec } from './validate.ts';

export interface ModelCache {
  /**
   * Probabilities of each image (CHW floats 0..255), in order; null for one that the model answers with anything else (NaN).
   * `load` is called only when the digest's model is not loaded. Rejects with RetryLater when its bytes have another
   * sha-256 than `digest` (lower-case hex) or too many models wait to be loaded; with any Error when an image has another
   * size than `spec`, or the model cannot be run.
   */
  score(
    digest: string,
    load: () => Promise<Buffer>,
    tensors: Float32Array[],
    spec: ModelSpec,
  ): Promise<{ probabilities: (number[] | null)[] }>;
  /** Releases every model once it is idle. */
  release(): Promise<void>;
}

export interface ModelCacheOptions {
  /** what all loaded models may take, as far as that is known before they run; one that takes more is loaded alone */
  maxBytes: number;
  /** CPU threads of each model */
  threads: number;
  /**
   * Whether a model keeps the memory of its runs for the next one: faster, and right where one image is scored at a time.
   * What 32 images took at once is more than the model itself, up to a hundredfold.
   */
  keepsRunMemory: boolean;
}

interface Entry {
  session: Promise<GraphSession>;
  share: Share;
  /** calls that hold the session, loading included */
  users: number;
}

/** Files that are read and not yet loaded. */
const loadsAtOnce = 2;
/** Measured: what a session takes beside its weights, and what the maps of one image take, in sizes of its input. */
const sessionBytes = 8 * 1024 * 1024;
const mapsPerInput = 32;

async function runBatch(session: GraphSession, images: Float32Array[], spec: ModelSpec): Promise<(number[] | null)[]> {
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
  return images.map((_, i) => {
    const row = probabilities.subarray(i * spec.classes, (i + 1) * spec.classes);
    return areProbabilities(row) ? Array.from(row) : null;
  });
}

/** A cache of models: those used last stay until others need the room. */
export function createModelCache({ maxBytes, threads, keepsRunMemory }: ModelCacheOptions): ModelCache {
  // a Map keeps insertion order: the first entry is the least recently used
  const entries = new Map<string, Entry>();
  const memory = createBudget(maxBytes);
  const loads = createBudget(loadsAtOnce);
  let waiting = 0;
  let closed = false;

  const costOf = (fileBytes: number, { channels, height, width }: ModelSpec): number => {
    const inputBytes = channels * height * width * Float32Array.BYTES_PER_ELEMENT;
    return sessionBytes + fileBytes + (keepsRunMemory ? mapsPerInput * inputBytes : 0);
  };

  const oldestIdle = (): [string, Entry] | undefined => [...entries].find(([, entry]) => entry.users === 0);

  const drop = async (digest: string, entry: Entry): Promise<void> => {
    if (entries.get(digest) === entry) entries.delete(digest);
    await entry.session.then(
      (session) => session.release(),
      () => undefined, // a model that never loaded holds nothing
    );
    entry.share.giveBack();
  };

  const makeRoom = async (share: Share, cost: number): Promise<void> => {
    while (!share.tryGrow(cost)) {
      const idle = oldestIdle();
      if (idle === undefined) {
        waiting++;
        await share.grow(cost).finally(() => waiting--);
        return;
      }
      await drop(...idle);
    }
  };

  const open = async (
    digest: string,
    load: () => Promise<Buffer>,
    spec: ModelSpec,
    share: Share,
  ): Promise<GraphSession> => {
    const done = await loads.take(1);
    try {
      const bytes = await load();
      const actual = createHash('sha256').update(bytes).digest('hex');
      if (actual !== digest) throw new RetryLater(`model bytes have the digest ${actual} instead of ${digest}`);
      await makeRoom(share, costOf(bytes.length, spec));
      return await openGraph(bytes, threads, 'cpu', keepsRunMemory);
    } finally {
      done();
    }
  };

  const acquire = (digest: string, load: () => Promise<Buffer>, spec: ModelSpec): Entry => {
    let entry = entries.get(digest);
    if (entry === undefined) {
      const share = memory.share();
      entry = { session: open(digest, load, spec, share), share, users: 0 };
    }
    entries.delete(digest);
    entries.set(digest, entry);
    entry.users++;
    return entry;
  };

  /** Lets go of what is idle as far as others wait for the room, or all of it. */
  const tidy = async (): Promise<void> => {
    const needless = (): [string, Entry] | undefined => (closed || waiting > 0 ? oldestIdle() : undefined);
    for (let idle = needless(); idle !== undefined; idle = needless()) await drop(...idle);
  };

  return {
    async score(digest, load, tensors, spec) {
      if (closed) throw new Error('the model cache is closed');
      const size = spec.channels * spec.height * spec.width;
      const odd = tensors.find((tensor) => tensor.length !== size);
      if (odd !== undefined) throw new Error(`an image has ${odd.length} values instead of ${size}`);
      const entry = acquire(digest, load, spec);
      try {
        const session = await entry.session;
        const probabilities: (number[] | null)[] = [];
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
        await tidy();
      }
    },
    async release() {
      closed = true;
      await tidy();
    },
  };
}
