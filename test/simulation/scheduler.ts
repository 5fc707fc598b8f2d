/**
 * The simulator's heart: every effect of every process is a pending operation, and nothing happens but what this
 * scheduler completes, one operation at a time, in virtual time. The seed decides order, delay and fault.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Random } from '../random.ts';
import { type Fault, type Faults, Lost } from './faults.ts';

/** Something that can die: a functions instance, a training job, or a client (which never does). */
export interface Process {
  name: string;
  alive: boolean;
  /** what its clock is ahead of the true time */
  skewMs: number;
  onDeath: Set<() => void>;
}

/** Who is at work: attributes each operation to a process and to the handler that does it. */
export interface Scope {
  process: Process;
  handler: string;
  /** whose faults apply: those of the backend, or those of the network between it and clients */
  kind: 'backend' | 'client';
}

/** `read` changes nothing; `write` may be repeated by an SDK; `once` is never repeated by one. */
export type OperationKind = 'read' | 'write' | 'once';

interface Entry {
  at: number;
  order: number;
  process: Process | undefined;
  /** keeps a simulation from being idle */
  counts: boolean;
  run: () => void;
}

export interface Scheduler {
  /** milliseconds of virtual time since the beginning */
  now(): number;
  random: Random;
  /** operations completed so far */
  operations(): number;
  /** Does `effect` later, or fails, or kills the process that asked. `label` names the operation, `detail` its target. */
  perform<T>(label: string, detail: string, kind: OperationKind, effect: () => T): Promise<T>;
  /** Waits in virtual time. */
  sleep(ms: number): Promise<void>;
  /** Calls back after a time; with `background` it does not keep the simulation going. */
  after(ms: number, call: () => void, options?: { process?: Process; background?: boolean }): void;
  /** Runs `work` on behalf of a process. */
  within<T>(scope: Scope, work: () => T): T;
  scope(): Scope;
  kill(process: Process, why: string): void;
  /** Completes operations until nothing is left to do, `until` (virtual ms) has come, or `limit` operations were done. */
  run(options?: { until?: number; limit?: number }): Promise<'idle' | 'time' | 'limit'>;
  trace: Trace;
}

export interface TraceLine {
  at: number;
  process: string;
  handler: string;
  what: string;
  detail: string;
  outcome: string;
}

export interface Trace {
  note(line: Omit<TraceLine, 'at'>): void;
  lines: TraceLine[];
}

/** A heap of entries by time, then by order of arrival. */
function createHeap() {
  const heap: Entry[] = [];
  const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
  return {
    push(entry: Entry): void {
      let i = heap.push(entry) - 1;
      while (i > 0) {
        const up = (i - 1) >> 1;
        const parent = heap[up] as Entry;
        if (!before(entry, parent)) break;
        heap[i] = parent;
        i = up;
      }
      heap[i] = entry;
    },
    peek: (): Entry | undefined => heap[0],
    pop(): Entry | undefined {
      const top = heap[0];
      const last = heap.pop();
      if (top === undefined || last === undefined || heap.length === 0) return top;
      let i = 0;
      for (;;) {
        let child = 2 * i + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
        if (!before(heap[child] as Entry, last)) break;
        heap[i] = heap[child] as Entry;
        i = child;
      }
      heap[i] = last;
      return top;
    },
  };
}

/** Lets every promise reaction that is due run: handlers go on until each waits for a pending operation. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Creates a scheduler; `keepTrace` costs time and is for replays. */
export function createScheduler(random: Random, faults: Faults, keepTrace: boolean): Scheduler {
  const heap = createHeap();
  const storage = new AsyncLocalStorage<Scope>();
  let now = 0;
  let order = 0;
  let done = 0;
  let counted = 0;
  const lines: TraceLine[] = [];
  const trace: Trace = {
    lines,
    note: (line) => void (keepTrace && lines.push({ at: now, ...line })),
  };

  const push = (at: number, process: Process | undefined, counts: boolean, run: () => void): void => {
    if (counts) counted++;
    heap.push({ at, order: order++, process, counts, run });
  };
  const scope = (): Scope => {
    const current = storage.getStore();
    if (current === undefined) throw new Error('an operation outside of every process');
    return current;
  };
  const kill = (process: Process, why: string): void => {
    if (!process.alive) return;
    process.alive = false;
    trace.note({ process: process.name, handler: '', what: 'dies', detail: '', outcome: why });
    const calls = [...process.onDeath];
    process.onDeath.clear();
    for (const call of calls) call();
  };

  const complete = <T>(
    fault: Fault | undefined,
    label: string,
    who: Scope,
    kind: OperationKind,
    effect: () => T,
  ): { value: T } | { error: Error } | 'dead' => {
    if (fault === 'crash-before') return (kill(who.process, fault), 'dead');
    if (fault === 'throttle' || fault === 'fail-before') return { error: new Lost(fault, label) };
    let value: T;
    try {
      value = effect();
      if (fault === 'repeat' && kind === 'write') value = effect();
    } catch (error) {
      return { error: error as Error };
    }
    if (fault === 'crash-after') return (kill(who.process, fault), 'dead');
    return fault === 'fail-after' ? { error: new Lost(fault, label) } : { value };
  };

  return {
    now: () => now,
    random,
    operations: () => done,
    trace,
    scope,
    kill,
    within: (who, work) => storage.run(who, work),
    perform<T>(label: string, detail: string, kind: OperationKind, effect: () => T): Promise<T> {
      const who = scope();
      return new Promise<T>((resolve, reject) => {
        push(now + faults.delayMs(who), who.process, true, () => {
          done++;
          const fault = faults.decide(who, label, kind, now);
          const result = complete(fault, label, who, kind, effect);
          if (keepTrace) {
            const said = result === 'dead' ? '' : 'error' in result ? result.error.message : told(result.value);
            const outcome = fault === undefined ? said : `** ${fault} **`;
            trace.note({ process: who.process.name, handler: who.handler, what: label, detail, outcome });
          }
          if (result === 'dead') return;
          if ('error' in result) reject(result.error);
          else resolve(result.value);
        });
      });
    },
    sleep(ms) {
      const { process } = scope();
      return new Promise((resolve) => push(now + ms, process, true, resolve));
    },
    after(ms, call, { process, background = false } = {}) {
      push(now + ms, process, !background, call);
    },
    async run({ until = Number.POSITIVE_INFINITY, limit = Number.POSITIVE_INFINITY } = {}) {
      const last = done + limit;
      await settle();
      while (counted > 0) {
        if (done >= last) return 'limit';
        const next = heap.peek();
        if (next === undefined || next.at > until) {
          now = Math.max(now, until);
          return 'time';
        }
        heap.pop();
        if (next.counts) counted--;
        if (next.process?.alive === false) continue;
        now = Math.max(now, next.at);
        next.run();
        await settle();
      }
      return 'idle';
    },
  };
}

/** A result in a few characters. */
function told(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  const { etag, document } = value as { etag?: string; document?: { state?: string; status?: string } };
  return [etag, document?.state ?? document?.status].filter((part) => part !== undefined).join(' ');
}
