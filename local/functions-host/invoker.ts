/** Sends invocations to the worker, logs their outcome as the real host does, and knows what is in flight. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { LogLevel, TraceContext, TypedData } from './protocol.ts';
import type { RegisteredFunction } from './registered-function.ts';
import type { Supervisor } from './supervisor.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface LogLine {
  /** RFC 3339, UTC */
  time: string;
  level: LogLevel;
  message: string;
  category?: string;
  functionName?: string;
  invocationId?: string;
}

/** Writes a line of the host itself, perhaps about one function. */
export type Log = (level: LogLevel, message: string, functionName?: string, invocationId?: string) => void;

interface Input {
  data: TypedData;
  triggerMetadata: Record<string, TypedData>;
  invocationId?: string;
  traceContext?: TraceContext;
  /** run in this worker and no other, even if it ended meanwhile */
  worker?: WorkerProcess;
}

/** Runs a function once and logs the outcome; rejects with the function's error, or WorkerEnded. */
export type Invoke = (target: RegisteredFunction, input: Input) => Promise<TypedData | undefined>;

/** Trace context of a new invocation: a child of `traceparent` when that is well-formed, else a new trace. */
export function newTraceContext(traceparent?: string, tracestate = ''): TraceContext {
  const traceId = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent ?? '')?.[1];
  return {
    traceParent: `00-${traceId ?? randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
    traceState: traceId ? tracestate : '',
    attributes: {},
  };
}

/** `invoke`, and `idle`, which resolves when nothing is in flight. */
export function createInvoker(
  supervisor: Supervisor,
  timeoutMs: number,
  log: Log,
): { invoke: Invoke; idle: () => Promise<void> } {
  const inFlight = new Set<Promise<unknown>>();

  const invoke: Invoke = async (target, input) => {
    const invocationId = input.invocationId ?? randomUUID();
    const started = performance.now();
    const outcome = (word: string) =>
      `Executed 'Functions.${target.name}' (${word}, Id=${invocationId}, Duration=${Math.round(performance.now() - started)}ms)`;
    const request = {
      invocationId,
      functionId: target.name,
      inputData: [{ name: target.trigger.name, data: input.data }],
      triggerMetadata: input.triggerMetadata,
      traceContext: input.traceContext ?? newTraceContext(),
    };
    const running = (input.worker ?? supervisor).invoke(request, timeoutMs);
    inFlight.add(running);
    try {
      const value = await running;
      log('information', outcome('Succeeded'), target.name, invocationId);
      return value;
    } catch (error) {
      log('error', `${outcome('Failed')}: ${(error as Error).stack}`, target.name, invocationId);
      throw error;
    } finally {
      inFlight.delete(running);
    }
  };
  const idle = async () => {
    while (inFlight.size > 0) await Promise.allSettled(inFlight);
  };
  return { invoke, idle };
}
