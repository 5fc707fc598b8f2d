/** Loaded models by digest: as many as fit into a bound of bytes, none unloaded while it computes, in more threads where they wait. */
import { createHash } from 'node:crypto';
import { createBudget, type Share } from '../budget.ts';
import { RetryLater } from '../errors.ts';
import { batchOf, byImage, imagesPerRun, inputSize } from './batch.ts';
import { askedOf, type InputShape, type ModelEnds, type NamedTensors } from './ends.ts';
import { Gone, type LoadedModel, type ModelWorkers } from './workers.ts';

type Load = () => Promise<Buffer>;

export interface ModelCache {
  /**
   * What a model answers for each image (CHW floats 0..255), in order: its outputs by name, without the dimension of images;
   * of those that its ends have as optional the ones that are asked for `besides`, which it must have.
   * `load` is called when a thread is to load the digest's model. Rejects with RetryLater when its bytes have another
   * sha-256 than `digest` (lower-case hex), too many models wait to be loaded, or the thread ended that computed; with any
   * Error when an image has another size than the ends' input, or the model cannot be run.
   */
  run(
    digest: string,
    load: Load,
    images: Float32Array[],
    ends: ModelEnds,
    besides?: readonly string[],
  ): Promise<NamedTensors[]>;
  /** Unloads every model once it is idle. */
  release(): Promise<void>;
}

export interface ModelCacheOptions {
  /** whose turn it is in the threads */
  owner: string;
  /** what all loaded models may take in all threads, as far as that is known before they run; one that takes more is loaded alone */
  maxBytes: number;
  /**
   * Whether a model keeps the memory of its runs for the next one: faster, and right where one image is scored at a time.
   * What 32 images took at once is more than the model itself, up to a hundredfold.
   */
  keepsRunMemory: boolean;
}

interface Entry {
  model: Promise<LoadedModel>;
  share: Share;
  /** bytes of the file, once it is read */
  fileBytes: number;
  /** calls that hold the model, loading included */
  users: number;
  /** beside the first */
  copies: number;
  isCopying: boolean;
}

/** Files that are read and not yet loaded. */
const loadsAtOnce = 2;
/** Measured: what a session takes beside its weights, and what the maps of one image take, in sizes of its input. */
const sessionBytes = 8 * 1024 * 1024;
const mapsPerInput = 32;

/** A cache of models in the threads of `workers`: those used last stay until others need the room. */
export function createModelCache(workers: ModelWorkers, options: ModelCacheOptions): ModelCache {
  const { owner, maxBytes, keepsRunMemory } = options;
  // a Map keeps insertion order: the first entry is the least recently used
  const entries = new Map<string, Entry>();
  const memory = createBudget(maxBytes);
  const loads = createBudget(loadsAtOnce);
  let waiting = 0;
  let closed = false;

  const costOf = (fileBytes: number, shape: InputShape): number => {
    const inputBytes = inputSize(shape) * Float32Array.BYTES_PER_ELEMENT;
    return sessionBytes + fileBytes + (keepsRunMemory ? mapsPerInput * inputBytes : 0);
  };

  const oldestIdle = (): [string, Entry] | undefined => [...entries].find(([, entry]) => entry.users === 0);

  const drop = async (digest: string, entry: Entry): Promise<void> => {
    if (entries.get(digest) === entry) entries.delete(digest);
    await entry.model.then(
      (model) => model.unload(),
      () => undefined, // a model that never loaded holds nothing
    );
    entry.share.release();
  };

  /** Lets go of one model that has copies: what runs on them ends, and its next run loads it anew, once. */
  const shed = (): void => {
    const [copied] = [...entries].find(([, entry]) => entry.copies > 0) ?? [];
    if (copied !== undefined) entries.delete(copied);
  };

  const makeRoom = async (share: Share, cost: number): Promise<void> => {
    while (!share.tryGrow(cost)) {
      const idle = oldestIdle();
      if (idle === undefined) {
        shed();
        waiting++;
        await share.grow(cost).finally(() => waiting--);
        return;
      }
      await drop(...idle);
    }
  };

  const read = async (digest: string, load: Load): Promise<Buffer> => {
    const bytes = await load();
    const actual = createHash('sha256').update(bytes).digest('hex');
    if (actual !== digest) throw new RetryLater(`model bytes have the digest ${actual} instead of ${digest}`);
    return bytes;
  };

  const open = async (digest: string, load: Load, shape: InputShape, entry: Entry): Promise<LoadedModel> => {
    const done = await loads.take(1);
    try {
      const bytes = await read(digest, load);
      entry.fileBytes = bytes.length;
      await makeRoom(entry.share, costOf(bytes.length, shape));
      return await workers.load(bytes, { owner, keepsRunMemory });
    } finally {
      done();
    }
  };

  const acquire = (digest: string, load: Load, shape: InputShape): Entry => {
    let entry = entries.get(digest);
    if (entry === undefined) {
      const { promise, resolve } = Promise.withResolvers<LoadedModel>();
      entry = { model: promise, share: memory.share(), fileBytes: 0, users: 0, copies: 0, isCopying: false };
      resolve(open(digest, load, shape, entry));
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

  const giveUp = async (digest: string, entry: Entry): Promise<void> => {
    entry.users--;
    if (entries.get(digest) !== entry && entry.users === 0) await drop(digest, entry);
    await tidy();
  };

  /** Whether a model is to be loaded in one more thread: all that have it are busy, and there is room that nobody else wants. */
  const wantsCopy = (entry: Entry, model: LoadedModel, shape: InputShape): boolean => {
    if (entry.isCopying || waiting > 0 || !model.isBusy() || model.copies() >= workers.count) return false;
    const cost = costOf(entry.fileBytes, shape) * (model.copies() + 1);
    return cost <= maxBytes && entry.share.tryGrow(cost);
  };

  const copy = async (digest: string, load: Load, entry: Entry, model: LoadedModel): Promise<void> => {
    entry.isCopying = true;
    entry.users++;
    entry.copies++;
    try {
      await model.copy(await read(digest, load));
    } finally {
      entry.isCopying = false;
      await giveUp(digest, entry);
    }
  };

  const runOnce: ModelCache['run'] = async (digest, load, images, ends, besides) => {
    const shape = ends.input;
    const entry = acquire(digest, load, shape);
    let isLoaded = false;
    try {
      const model = await entry.model;
      isLoaded = true;
      // one that cannot be had is asked for again by the next run that waits
      if (wantsCopy(entry, model, shape)) copy(digest, load, entry, model).catch(() => undefined);
      const answers: NamedTensors[] = [];
      const atOnce = imagesPerRun(shape);
      for (let at = 0; at < images.length; at += atOnce) {
        const part = images.slice(at, at + atOnce);
        answers.push(...byImage(await model.run(batchOf(part, shape), askedOf(ends, besides)), part.length));
      }
      return answers;
    } catch (error) {
      // a failed load is not remembered, nor a model whose threads have ended: the next call tries again
      if ((!isLoaded || error instanceof Gone) && entries.get(digest) === entry) entries.delete(digest);
      throw error;
    } finally {
      await giveUp(digest, entry);
    }
  };

  const run: ModelCache['run'] = async (digest, load, images, ends, besides) => {
    if (closed) throw new Error('the model cache is closed');
    const size = inputSize(ends.input);
    const odd = images.find((image) => image.length !== size);
    if (odd !== undefined) throw new Error(`an image has ${odd.length} values instead of ${size}`);
    return runOnce(digest, load, images, ends, besides).catch((error: unknown) => {
      // another run ended the thread, which is no reason to have nobody run this one
      if (error instanceof Gone) return runOnce(digest, load, images, ends, besides);
      throw error;
    });
  };

  return {
    run,
    async release() {
      closed = true;
      await tidy();
    },
  };
}
