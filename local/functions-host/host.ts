/**
 * A local Azure Functions host for apps of the Node.js v4 programming model: HTTP, Service Bus queue and timer triggers.
 * This process listens and receives; the app runs in a worker process, which may die at any time and is replaced.
 */
import path from 'node:path';
import { type HostConfig, readHostConfig } from './host-config.ts';
import { defaultMaxBodyBytes } from './http-call.ts';
import { startHttpFront, type HttpFront } from './http-front.ts';
import type { HttpFunction } from './http-routes.ts';
import { createInvoker, type Log, type LogLine } from './invoker.ts';
import {
  checkExtensions,
  checkFunctions,
  checkNames,
  selectFunctions,
  type RegisteredFunction,
  type ServiceBusTrigger,
  type TimerTrigger,
} from './registered-function.ts';
import { startServiceBusTrigger, type RunningTrigger } from './service-bus-trigger.ts';
import { superviseWorker, type Supervisor } from './supervisor.ts';
import { startTimerTrigger, type RunningTimer } from './timer-trigger.ts';
import { waitAtMost } from './wait.ts';

export interface FunctionsHostOptions {
  /** folder of host.json; becomes the worker's working directory */
  appRoot: string;
  /** file that registers the functions, relative to appRoot or absolute */
  entry: string;
  /** 0: any free port */
  port: number;
  /** default 127.0.0.1 */
  hostname?: string;
  /** app settings: the whole environment of the app, besides PATH, HOME and TMPDIR */
  settings: Record<string, string>;
  /** run only these, as a scale group of Flex Consumption does; default: all */
  functions?: string[];
  /** names the app must register, no more, no less */
  expectedFunctions?: string[];
  /** access keys by name: `master`, `host`, or a function's name */
  keys?: Record<string, string>;
  onLog: (line: LogLine) => void;
  /** how long `close` waits for running invocations, default 10 s */
  drainTimeoutMs?: number;
  /** a request without an answer gets 504 after this long, default 230 s as in Azure */
  gatewayTimeoutMs?: number;
}

export interface FunctionsHost {
  port: number;
  /** the functions that run here, with their trigger types */
  functions: { name: string; trigger: string }[];
  workerPid(): number | undefined;
  /** how often the worker was replaced */
  restarts(): number;
  /** Runs a timer now and waits for it; rejects with its error, or when there is no such timer. */
  invokeTimer(name: string): Promise<void>;
  /** Takes no more work, waits for what runs, ends the worker. Messages still in work then go back to their queue. */
  close(): Promise<void>;
}

const byTrigger = (functions: RegisteredFunction[]) => ({
  http: functions.filter((one): one is HttpFunction => one.trigger.type === 'httpTrigger'),
  serviceBus: functions.filter(
    (one): one is RegisteredFunction<ServiceBusTrigger> => one.trigger.type === 'serviceBusTrigger',
  ),
  timer: functions.filter((one): one is RegisteredFunction<TimerTrigger> => one.trigger.type === 'timerTrigger'),
});

/** The environment of the worker: the settings, and what any program on this machine needs. */
function workerEnvironment(settings: Record<string, string>): Record<string, string> {
  const machine = ['PATH', 'HOME', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(machine),
    FUNCTIONS_WORKER_RUNTIME: 'node',
    FUNCTIONS_EXTENSION_VERSION: '~4',
    AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
    ...settings,
  };
}

/** how long `close` waits for the broker to take the last settlements */
const settleTimeoutMs = 5000;

function checkedFunctions(
  supervisor: Supervisor,
  options: FunctionsHostOptions,
  config: HostConfig,
): RegisteredFunction[] {
  checkExtensions(supervisor.functions, config.hasExtensionBundle);
  const registered = checkFunctions(supervisor.functions);
  checkNames(registered, options.expectedFunctions);
  return selectFunctions(registered, options.functions);
}

function createLog(write: (line: Omit<LogLine, 'time'>) => void): Log {
  return (level, message, functionName, invocationId) =>
    write({
      level,
      message,
      category: functionName ? `Function.${functionName}` : 'Host',
      ...(functionName && { functionName }),
      ...(invocationId && { invocationId }),
    });
}

/** The timers and queue receivers that run; filled one by one, so that a failing start can end those before it. */
interface Triggers {
  timers: Map<string, RunningTimer>;
  receiving: RunningTrigger[];
}

function startTriggers(
  triggers: Triggers,
  { timer, serviceBus }: ReturnType<typeof byTrigger>,
  context: Omit<Parameters<typeof startServiceBusTrigger>[0], 'function'>,
): void {
  for (const one of timer) triggers.timers.set(one.name, startTimerTrigger({ ...context, function: one }));
  for (const one of serviceBus) triggers.receiving.push(startServiceBusTrigger({ ...context, function: one }));
}

async function stopTriggers({ timers, receiving }: Triggers): Promise<void> {
  for (const timer of timers.values()) timer.stop();
  await Promise.allSettled(receiving.map((trigger) => trigger.stop()));
}

/**
 * Starts a host and resolves when it takes work. Rejects, leaving nothing behind, when host.json is wrong, the app does
 * not load, registers nothing or other than expected, uses what this host cannot do, or lacks a setting.
 */
export async function startFunctionsHost(options: FunctionsHostOptions): Promise<FunctionsHost> {
  const appRoot = path.resolve(options.appRoot);
  const config = await readHostConfig(appRoot);
  const write = (line: Omit<LogLine, 'time'>) => options.onLog({ time: new Date().toISOString(), ...line });
  const log = createLog(write);
  const triggers: Triggers = { timers: new Map(), receiving: [] };
  const supervisor = await superviseWorker({
    appRoot,
    entry: path.resolve(appRoot, options.entry),
    env: workerEnvironment(options.settings),
    onLog: write,
    onGivenUp: () => void stopTriggers(triggers),
  });
  const { invoke, idle } = createInvoker(supervisor, config.functionTimeoutMs, log);
  let front: HttpFront | undefined;

  const close = async () => {
    front?.stop();
    const drained = stopTriggers(triggers).then(() => Promise.all([idle(), front?.idle()]));
    await waitAtMost(drained, options.drainTimeoutMs ?? 10_000);
    await supervisor.stop();
    await waitAtMost(Promise.all(triggers.receiving.map((trigger) => trigger.close())), settleTimeoutMs);
    await front?.close();
  };

  try {
    const functions = checkedFunctions(supervisor, options, config);
    const groups = byTrigger(functions);
    front = await startHttpFront({
      functions: groups.http,
      port: options.port,
      hostname: options.hostname ?? '127.0.0.1',
      routePrefix: config.routePrefix,
      homepage: !/^(?:true|1)$/i.test(options.settings['AzureWebJobsDisableHomepage'] ?? ''),
      maxOutstandingRequests: config.maxOutstandingRequests,
      maxBodyBytes: Number(options.settings['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? defaultMaxBodyBytes),
      gatewayTimeoutMs: options.gatewayTimeoutMs ?? 230_000,
      keys: options.keys ?? {},
      ready: supervisor.ready,
      invoke,
      log,
      runTimer: (name) => triggers.timers.get(name)?.run(),
    });
    startTriggers(triggers, groups, { config: config.serviceBus, settings: options.settings, invoke, log });
    let closing: Promise<void> | undefined;
    return {
      port: front.port,
      functions: functions.map(({ name, trigger }) => ({ name, trigger: trigger.type })),
      workerPid: supervisor.pid,
      restarts: supervisor.restarts,
      async invokeTimer(name) {
        const timer = triggers.timers.get(name);
        if (!timer) throw new Error(`no timer '${name}' runs here`);
        await timer.run();
      },
      close: () => (closing ??= close()),
    };
  } catch (error) {
    await close();
    throw error;
  }
}
