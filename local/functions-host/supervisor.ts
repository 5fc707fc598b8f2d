/** Keeps a worker running: restarts it when it ends, with growing pauses, and gives up when the app no longer loads. */
import type { InvocationRequest, ReportedFunction, TypedData } from './protocol.ts';
import { startWorkerProcess, type WorkerProcess, type WorkerProcessOptions } from './worker-process.ts';

const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** a worker that lived this long ended for a reason of its own: pauses begin anew */
const healthyAfterMs = 30_000;
/** failed starts in a row after which the host gives up */
const maxFailedStarts = 10;
/** how long an invocation waits for a worker that is being restarted */
const readyTimeoutMs = 60_000;
/** time for appTerminate hooks */
const terminateGraceMs = 5_000;

export interface Supervisor {
  functions: ReportedFunction[];
  pid: () => number | undefined;
  restarts: () => number;
  /** Waits for a running worker, then runs the function in it; see WorkerProcess.invoke. */
  invoke(request: InvocationRequest, timeoutMs: number): Promise<TypedData | undefined>;
  /** Resolves when a worker runs; rejects after 60 s, when the host gave up, or when it is closing. */
  ready: () => Promise<WorkerProcess>;
  stop(): Promise<void>;
}

interface Options extends WorkerProcessOptions {
  /** called once, when the app failed to start ten times in a row */
  onGivenUp: () => void;
}

function withTimeout<T>(promise: Promise<T>, timeoutMs: number, message: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(message)), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Starts the first worker (rejecting if the app does not load) and replaces it whenever it ends, until `stop`. */
export async function superviseWorker(options: Options): Promise<Supervisor> {
  const log = (level: 'warning' | 'error' | 'critical', message: string) =>
    options.onLog({ level, category: 'Host.Worker', message });
  let worker: WorkerProcess | undefined = await startWorkerProcess(options);
  const functions = worker.functions;
  let next: Promise<WorkerProcess> = Promise.resolve(worker);
  let stopping = false;
  let restarts = 0;
  let crashesInARow = 0;
  let wakeUp: (() => void) | undefined;

  const pause = () => {
    const ms = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(crashesInARow - 1, 10));
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };

  async function restart(): Promise<WorkerProcess> {
    for (let failedStarts = 0; failedStarts < maxFailedStarts; failedStarts++) {
      await pause();
      if (stopping) throw new Error('the host is closing');
      restarts++;
      try {
        const started = await startWorkerProcess(options);
        if (JSON.stringify(started.functions) !== JSON.stringify(functions)) {
          log('error', 'the app registered other functions than before: restart the host');
        }
        worker = started;
        watch(started);
        return started;
      } catch (error) {
        crashesInARow++;
        log('error', `restart failed: ${(error as Error).message}`);
      }
    }
    log('critical', `giving up: the app failed to start ${maxFailedStarts} times in a row`);
    options.onGivenUp();
    throw new Error('the app does not start; the host gave up');
  }

  function watch(running: WorkerProcess): void {
    const since = performance.now();
    void running.exited.then((reason) => {
      worker = undefined;
      if (stopping) return;
      crashesInARow = performance.now() - since > healthyAfterMs ? 1 : crashesInARow + 1;
      log('error', `the worker (pid ${running.pid}) ended: ${reason}; starting another`);
      next = restart();
      // Whoever waits sees the rejection; without this nobody might.
      next.catch(() => {});
    });
  }

  watch(worker);
  const ready = () => withTimeout(next, readyTimeoutMs, 'no worker became ready in time');
  return {
    functions,
    pid: () => worker?.pid,
    restarts: () => restarts,
    ready,
    invoke: async (request, timeoutMs) => (await ready()).invoke(request, timeoutMs),
    async stop() {
      stopping = true;
      wakeUp?.();
      const running = await next.catch(() => undefined);
      await running?.terminate(terminateGraceMs);
    },
  };
}
