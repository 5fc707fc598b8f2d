/** One worker process as the host sees it: started, asked to run functions, ended. */
import { fork, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type {
  HostMessage,
  InvocationRequest,
  ReportedFunction,
  TypedData,
  WorkerLog,
  WorkerMessage,
} from './protocol.ts';

/** Flex Consumption gives an app 30 s to start. */
const startTimeoutMs = 30_000;
/** longest console line kept, in characters */
const maxConsoleLine = 16_384;

/** The worker ended while a function ran in it: nobody knows how far that function got. */
export class WorkerEnded extends Error {
  override name = 'WorkerEnded';
}

export interface WorkerProcess {
  pid: number;
  functions: ReportedFunction[];
  /** where the library's own HTTP server listens, when the app asked for HTTP streams */
  httpUri: string | undefined;
  /** resolves with the reason once the process is gone; never rejects */
  exited: Promise<string>;
  /** Runs a function. Rejects with its error, with WorkerEnded, or after `timeoutMs` (0: never), which ends the worker. */
  invoke(request: InvocationRequest, timeoutMs: number): Promise<TypedData | undefined>;
  /** Asks the worker to run its appTerminate hooks and end; kills it after `graceMs`. */
  terminate(graceMs: number): Promise<void>;
}

export interface WorkerProcessOptions {
  appRoot: string;
  entry: string;
  env: Record<string, string>;
  onLog: (log: WorkerLog) => void;
}

interface Pending {
  resolve: (value: TypedData | undefined) => void;
  reject: (error: Error) => void;
}

function eachLine(stream: Readable | null, onLine: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, maxConsoleLine);
    for (const line of lines) if (line.trim()) onLine(line.slice(0, maxConsoleLine));
  });
  stream?.on('end', () => rest.trim() && onLine(rest));
}

function forwardConsole(child: ChildProcess, onLog: (log: WorkerLog) => void): void {
  const category = 'Host.Function.Console';
  eachLine(child.stdout, (message) => onLog({ level: 'information', category, message }));
  eachLine(child.stderr, (message) => onLog({ level: 'error', category, message }));
}

type Started = Extract<WorkerMessage, { type: 'started' }>;

/** Resolves with the worker's report; rejects when the app fails to load, the process ends, or 30 s pass. */
function load(child: ChildProcess, options: WorkerProcessOptions, exited: Promise<string>): Promise<Started> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`the app did not start within ${startTimeoutMs / 1000} s`));
      child.kill('SIGKILL');
    }, startTimeoutMs);
    child.on('message', (message: WorkerMessage) => {
      if (message.type === 'started') {
        clearTimeout(timer);
        resolve(message);
      } else if (message.type === 'startFailed') {
        clearTimeout(timer);
        const { error, registered } = message;
        const asInAzure = registered === 0 ? ' (Azure would report success with zero functions)' : '';
        reject(new Error(`the app failed to load${asInAzure}: ${error.stack}`));
        child.kill('SIGKILL');
      }
    });
    void exited.then((reason) => {
      clearTimeout(timer);
      reject(new Error(`the worker ended while the app was loading: ${reason}`));
    });
    const { appRoot, entry, env } = options;
    child.send({ type: 'start', appRoot, entry, env } satisfies HostMessage, (error) => error && reject(error));
  });
}

function whenGone(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
  });
}

function invoker(child: ChildProcess, pending: Map<string, Pending>, onLog: WorkerProcessOptions['onLog']) {
  return async (request: InvocationRequest, timeoutMs: number): Promise<TypedData | undefined> => {
    const { invocationId, functionId } = request;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<TypedData | undefined>((resolve, reject) => {
        pending.set(invocationId, { resolve, reject });
        if (timeoutMs > 0) {
          timer = setTimeout(() => {
            const message = `Timeout value of ${timeoutMs} ms exceeded by function '${functionId}' (Id: '${invocationId}'). Ending the worker.`;
            onLog({ level: 'error', category: 'Host.Executor', message, functionName: functionId, invocationId });
            reject(new Error(message));
            child.kill('SIGKILL');
          }, timeoutMs);
        }
        const failed = (error: Error | null) =>
          error && reject(new WorkerEnded(`the worker cannot be reached: ${error.message}`));
        child.send({ type: 'invoke', request } satisfies HostMessage, failed);
      });
    } finally {
      clearTimeout(timer);
      pending.delete(invocationId);
    }
  };
}

/** Certificates that this machine trusts besides the usual ones; Node reads them when a process starts, before any app setting. */
function machineTrust(): Record<string, string> {
  const file = process.env['NODE_EXTRA_CA_CERTS'];
  return file === undefined ? {} : { NODE_EXTRA_CA_CERTS: file };
}

/** Starts a worker and loads the app in it. Rejects with the reason when the app cannot be loaded. */
export async function startWorkerProcess(options: WorkerProcessOptions): Promise<WorkerProcess> {
  const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), [], {
    cwd: options.appRoot,
    env: machineTrust(),
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const pending = new Map<string, Pending>();
  const exited = whenGone(child);
  forwardConsole(child, options.onLog);
  child.on('message', (message: WorkerMessage) => {
    if (message.type === 'log') options.onLog(message.log);
    else if (message.type === 'succeeded') pending.get(message.invocationId)?.resolve(message.returnValue);
    else if (message.type === 'failed') {
      const error = new Error(message.error.message);
      error.stack = message.error.stack;
      pending.get(message.invocationId)?.reject(error);
    }
  });
  const started = await load(child, options, exited);
  void exited.then((reason) => {
    for (const one of pending.values()) one.reject(new WorkerEnded(`the worker ended (${reason})`));
  });
  return {
    pid: child.pid ?? 0,
    functions: started.functions,
    httpUri: started.httpUri,
    exited,
    invoke: invoker(child, pending, options.onLog),
    async terminate(graceMs) {
      child.send({ type: 'terminate' } satisfies HostMessage, () => {});
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
