/** One thread beside the event loop that loads and runs models; its program is worker.ts. */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { RetryLater } from '../errors.ts';
import type { NamedTensors } from './ends.ts';

export type Request =
  | { kind: 'load'; model: number; bytes: Uint8Array; keepsRunMemory: boolean }
  | { kind: 'run'; model: number; inputs: NamedTensors; outputs: readonly string[] | undefined }
  | { kind: 'unload'; model: number };

export type Answer = { outputs: NamedTensors } | { problem: string };

/** The program lies beside this file: as a source beside the source, as a bundle beside the bundle. */
export const workerProgram = path.join(import.meta.dirname, `worker${path.extname(import.meta.filename)}`);

/** Weights and tensors lie outside of V8's heap; what is inside is small. Measured: 6 MB. */
const heapMegabytes = 64;
const nurseryMegabytes = 4;

export interface Thread {
  /**
   * Has one request done; the inputs of a run are moved to the thread, and the caller has them no more. Rejects with an
   * Error that says what onnxruntime said, and with RetryLater when the thread ends meanwhile. Only one at a time.
   */
  ask(request: Request): Promise<NamedTensors>;
  end(): Promise<void>;
}

/** Starts a thread; `onEnd` is called once, when it has ended for whatever reason. Idle it keeps no process alive. */
export function startThread(program: string, onEnd: () => void): Thread {
  const worker = new Worker(program, {
    name: 'models',
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb: nurseryMegabytes },
  });
  worker.unref();
  let asked: PromiseWithResolvers<NamedTensors> | undefined;
  let why = 'it was ended';
  const done = (): typeof asked => {
    const current = asked;
    asked = undefined;
    worker.unref();
    return current;
  };
  worker.on('message', (answer: Answer) => {
    if ('outputs' in answer) done()?.resolve(answer.outputs);
    else done()?.reject(new Error(answer.problem));
  });
  // what it says comes before its end, which follows always
  worker.on('error', (error) => (why = error instanceof Error ? error.message : String(error)));
  worker.on('exit', () => {
    done()?.reject(new RetryLater(`The thread that ran the model has ended: ${why}. Try again.`));
    onEnd();
  });
  return {
    ask(request) {
      const answer = Promise.withResolvers<NamedTensors>();
      asked = answer;
      worker.ref();
      const moved = request.kind === 'run' ? Object.values(request.inputs).map(({ data }) => data.buffer) : [];
      try {
        worker.postMessage(request, moved as ArrayBuffer[]);
      } catch (error) {
        // inputs that were moved before are no more
        done()?.reject(error);
      }
      return answer.promise;
    },
    async end() {
      await worker.terminate();
    },
  };
}
