/** A few threads that run models, and who of those who wait has the next one that is free. */
import { availableParallelism } from 'node:os';
import { RetryLater } from '../errors.ts';
import type { NamedTensors } from './ends.ts';
import { type Request, startThread, type Thread, workerProgram } from './thread.ts';

/** A model in one thread or several. */
export interface LoadedModel {
  /** Runs it for the outputs of these names, or all, in a thread that has it, which moves `inputs` there. Rejects with `Gone` where no thread has it any more. */
  run(inputs: NamedTensors, outputs?: readonly string[]): Promise<NamedTensors>;
  /** how many threads have it, or will have */
  copies(): number;
  /** Loads it in one more thread. Rejects like `load`. */
  copy(bytes: Uint8Array): Promise<void>;
  /** whether a run would have to wait */
  isBusy(): boolean;
  /** Lets every thread forget it. */
  unload(): Promise<void>;
}

export interface LoadOptions {
  owner: string;
  /** see `openGraph` */
  keepsRunMemory: boolean;
}

export interface ModelWorkers {
  /** most threads there will be */
  count: number;
  /**
   * Loads a model (bytes are copied) for one of those who share the threads; owners take turns, and of one owner who came
   * first. Rejects with an Error when onnxruntime cannot load it.
   */
  load(bytes: Uint8Array, options: LoadOptions): Promise<LoadedModel>;
  /** Ends every thread; what runs, and what waits, is rejected with RetryLater. */
  close(): Promise<void>;
}

/** Threads that had a model have ended: load it again. It says nothing about the model. */
export class Gone extends RetryLater {}

interface Place {
  thread: Thread | undefined;
  isBusy: boolean;
  models: Map<number, 'loading' | 'loaded'>;
}

interface Job {
  request: Request;
  canRunIn: (place: Place) => boolean;
  resolve: (outputs: NamedTensors) => void;
  reject: (error: Error) => void;
}

/** More are no faster than a computer has processors, and each has a copy of what it runs. */
const mostThreads = 4;
/** Requests of one owner that wait; those who call hold back the rest, so that only a loop of ours gets there. */
const mostWaiting = 256;

/** As many threads as there are processors, of four at most. Each starts when it has something to do. */
export function createModelWorkers(
  count = Math.min(mostThreads, availableParallelism()),
  program = workerProgram,
): ModelWorkers {
  const places = Array.from({ length: count }, (): Place => ({ thread: undefined, isBusy: false, models: new Map() }));
  // a Map keeps insertion order: the owner who is served goes to its end
  const lines = new Map<string, Job[]>();
  let modelsEver = 0;
  let isClosed = false;

  const nextFor = (place: Place): Job | undefined => {
    for (const [owner, line] of lines) {
      const at = line.findIndex((job) => job.canRunIn(place));
      const [job] = at === -1 ? [] : line.splice(at, 1);
      if (job === undefined) continue;
      lines.delete(owner);
      if (line.length > 0) lines.set(owner, line);
      return job;
    }
    return undefined;
  };

  const onEnd = (place: Place): void => {
    place.thread = undefined;
    place.models.clear();
    // nobody else can do these
    for (const line of lines.values())
      for (const job of line.filter((one) => !places.some((other) => one.canRunIn(other)))) {
        line.splice(line.indexOf(job), 1);
        job.reject(new Gone('the threads that had the model have ended'));
      }
  };

  const serve = (place: Place): void => {
    if (place.isBusy || isClosed) return;
    const job = nextFor(place);
    if (job === undefined) return;
    place.isBusy = true;
    const free = (): void => {
      place.isBusy = false;
      serve(place);
    };
    let thread: Thread;
    try {
      thread = place.thread ??= startThread(program, () => onEnd(place));
    } catch (error) {
      // no thread can be had just now: whoever waits is told one by one, and the next one tries again
      job.reject(new RetryLater(`No thread can be started to run models: ${(error as Error).message}.`));
      queueMicrotask(free);
      return;
    }
    thread.ask(job.request).then(job.resolve, job.reject).finally(free);
  };

  const ask = (owner: string, request: Request, canRunIn: Job['canRunIn']): Promise<NamedTensors> => {
    const line = lines.get(owner) ?? [];
    if (isClosed) return Promise.reject(new RetryLater('This process is ending.'));
    if (!places.some(canRunIn)) return Promise.reject(new Gone('no thread has the model'));
    if (line.length >= mostWaiting)
      return Promise.reject(new RetryLater(`This process is overloaded: ${mostWaiting} runs wait already.`));
    const { promise, resolve, reject } = Promise.withResolvers<NamedTensors>();
    line.push({ request, canRunIn, resolve, reject });
    lines.set(owner, line);
    places.forEach(serve);
    return promise;
  };

  const loadIn = async (place: Place, model: number, bytes: Uint8Array, options: LoadOptions): Promise<void> => {
    const { owner, keepsRunMemory } = options;
    place.models.set(model, 'loading');
    try {
      await ask(owner, { kind: 'load', model, bytes, keepsRunMemory }, (other) => other === place);
      place.models.set(model, 'loaded');
    } catch (error) {
      place.models.delete(model);
      throw error;
    }
  };

  /** The place with the fewest models that lacks this one. */
  const emptiest = (model: number): Place | undefined =>
    places.filter(({ models }) => !models.has(model)).sort((a, b) => a.models.size - b.models.size)[0];

  const handle = (model: number, options: LoadOptions): LoadedModel => {
    const has = (place: Place): boolean => place.models.get(model) === 'loaded';
    return {
      run: (inputs, outputs) => ask(options.owner, { kind: 'run', model, inputs, outputs }, has),
      copies: () => places.filter(({ models }) => models.has(model)).length,
      async copy(bytes) {
        const place = emptiest(model);
        if (place !== undefined) await loadIn(place, model, bytes, options);
      },
      isBusy: () => places.filter(has).every(({ isBusy }) => isBusy),
      async unload() {
        const unloads = places.filter(has).map((place) => {
          const { thread } = place;
          place.models.delete(model);
          return ask(options.owner, { kind: 'unload', model }, (other) => other === place && other.thread === thread);
        });
        // one that fails has no thread any more
        await Promise.allSettled(unloads);
      },
    };
  };

  return {
    count,
    async load(bytes, options) {
      const model = ++modelsEver;
      const place = emptiest(model);
      if (place === undefined) throw new Error('there are no threads');
      await loadIn(place, model, bytes, options);
      return handle(model, options);
    },
    async close() {
      isClosed = true;
      const left = [...lines.values()].flat();
      lines.clear();
      for (const { reject } of left) reject(new RetryLater('This process is ending.'));
      await Promise.all(places.flatMap(({ thread }) => thread?.end() ?? []));
    },
  };
}
