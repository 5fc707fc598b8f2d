/** Starts executions as room allows, and records how they end. */
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { diskRefusal } from '../disk.ts';
import { ArmError, type ExecutionStatus } from './arm.ts';
import type { Executions, StoredExecution } from './executions.ts';
import { startOf } from './process-group.ts';
import type { Trouble } from './trouble.ts';
import { exitCodeIn, launch, logIn, type Replica, type ReplicaLimits, watch } from './replica.ts';

/** executions of one job that are waiting or running; more are refused */
const maxOpen = 500;
const defaultStopGraceMs = 5_000;
/** until an end that the disk did not take is recorded again */
const recordAgainMs = 1_000;

export interface JobDefinition {
  /** what the job's image would run */
  command: string[];
  cwd: string;
  /** environment built into the image: an override of the template does not remove it */
  env?: Record<string, string>;
  /** limit of all processes of an execution together; Node's heap is set to three quarters of it */
  memoryMb: number;
  /** replicaTimeout */
  timeoutSeconds: number;
  maxParallel: number;
  /** how long an execution stays Processing before its command runs, as an image pull does */
  startDelayMs?: number;
  /** between SIGTERM and SIGKILL (5 s) */
  stopGraceMs?: number;
}

/** What an execution runs. */
export interface Program {
  command: string[];
  /** of its environment, beside what the job's image has */
  variables: Record<string, string>;
  /** where its own limit is shorter than that of its job */
  timeoutSeconds?: number;
}

/** `T`: what executions are started with */
export interface Jobs<T> {
  /** `name`: where the caller chooses it; one that is taken is refused by the disk */
  start(job: string, template: T, trouble: Trouble, name?: string): StoredExecution<T>;
  /** what there is to say about how an execution stands, beside its state */
  informationOn(name: string): string | undefined;
  /** whether it was asked to end, and has not yet */
  isStopping(name: string): boolean;
  /** what it wrote, the end of it */
  logOf(name: string): string;
  /** Ends an execution that waits or runs; nothing happens to one that has ended. */
  stop(execution: StoredExecution<T>): void;
  /** Ends everything and waits for it: what ran is Failed, what waits is started by the next service. */
  close(): Promise<void>;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
const suffix = () => Array.from({ length: 7 }, () => alphabet[randomInt(alphabet.length)]).join('');

/** A container sees the environment of its image and of its start, never that of this service. */
function environmentOf(job: JobDefinition, variables: Record<string, string>): Record<string, string> {
  const passedOn = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(passedOn),
    NODE_OPTIONS: `--max-old-space-size=${Math.floor(job.memoryMb * 0.75)}`,
    ...job.env,
    ...variables,
  };
}

const limitsOf = (job: JobDefinition, program: Program, startedMs: number): ReplicaLimits => ({
  memoryMb: job.memoryMb,
  deadlineMs: startedMs + Math.min(job.timeoutSeconds, program.timeoutSeconds ?? Infinity) * 1000,
  stopGraceMs: job.stopGraceMs ?? defaultStopGraceMs,
});

/**
 * Runs the executions on record: takes over those whose processes outlived a killed service, marks Failed those whose
 * processes are gone without an exit code, and starts those that wait.
 */
export function runJobs<T>(
  definitions: Record<string, JobDefinition>,
  executions: Executions<T>,
  dataDir: string,
  programOf: (execution: StoredExecution<T>, job: JobDefinition) => Program,
): Jobs<T> {
  const running = new Map<string, { replica: Replica; job: string }>();
  const delayed = new Map<string, { timer: NodeJS.Timeout; job: string }>();
  const stopRequested = new Set<string>();
  const unrecorded = new Map<string, { status: ExecutionStatus; at: string }>();
  const troubled = new Map<string, Trouble>();
  /** nothing new is started while former executions are taken over, and when closing */
  let filling = false;
  let closing = false;
  let closed = false;
  let wakeCloser: () => void = () => undefined;
  // absolute: commands have working directories of their own
  const folderOf = (name: string) => join(resolve(dataDir), 'executions', name);

  /** A full disk does not take an end: it is recorded later, or by the next service, which finds out by itself. */
  const recordEnd = (name: string, job: string): void => {
    const end = unrecorded.get(name);
    if (end === undefined || closed) return;
    try {
      executions.ended(name, end.status, end.at);
      unrecorded.delete(name);
      for (const old of executions.prune(job)) rmSync(folderOf(old), { recursive: true, force: true });
    } catch (error) {
      if (diskRefusal(error) === undefined) throw error;
      setTimeout(() => recordEnd(name, job), recordAgainMs).unref();
    }
  };
  const finish = (name: string, job: string, status: ExecutionStatus) => {
    running.delete(name);
    unrecorded.set(name, { status: stopRequested.delete(name) ? 'Stopped' : status, at: new Date().toISOString() });
    recordEnd(name, job);
    if (running.size === 0) wakeCloser();
    if (filling) fill();
  };
  const onEnd =
    ({ name, job }: StoredExecution<T>) =>
    (exitCode: number | undefined) => {
      if (troubled.get(name)?.kind === 'unreported-end' && !stopRequested.has(name) && !closing) {
        running.delete(name);
        return;
      }
      finish(name, job, exitCode === 0 && !closing ? 'Succeeded' : 'Failed');
    };

  const begin = (execution: StoredExecution<T>, job: JobDefinition) => {
    delayed.delete(execution.name);
    const { name } = execution;
    try {
      const program = programOf(execution, job);
      const environment = environmentOf(job, program.variables);
      const what = { command: program.command, cwd: job.cwd, environment, folder: folderOf(name) };
      const replica = launch(what, limitsOf(job, program, Date.now()), onEnd(execution));
      running.set(name, { replica, job: execution.job });
      executions.started(name, replica, new Date().toISOString());
    } catch {
      // what runs and cannot be recorded must not go on unknown; else it is as with an image that cannot be pulled
      const begun = running.get(name);
      if (begun === undefined) finish(name, execution.job, 'Failed');
      else begun.replica.stop();
    }
  };

  /** Starts waiting executions while their jobs have room. */
  const fill = () => {
    for (const execution of executions.open()) {
      const job = definitions[execution.job];
      if (job === undefined || execution.status !== 'Processing') continue;
      if ([delayed, running, unrecorded].some((known) => known.has(execution.name))) continue;
      if (troubled.get(execution.name)?.kind === 'stuck') continue;
      const busy = [...running.values()].filter((r) => r.job === execution.job).length;
      const starting = [...delayed.values()].filter((d) => d.job === execution.job).length;
      if (busy + starting >= job.maxParallel) continue;
      // at least one turn of the event loop: the start is answered first
      const timer = setTimeout(() => begin(execution, job), job.startDelayMs ?? 0);
      delayed.set(execution.name, { timer, job: execution.job });
    }
  };

  const takeOver = (execution: StoredExecution<T>) => {
    const { name, pid, pidStart } = execution;
    const job = definitions[execution.job];
    const alive = pid !== undefined && pidStart !== undefined && startOf(pid) === pidStart;
    if (!alive || job === undefined) {
      finish(name, execution.job, exitCodeIn(folderOf(name)) === 0 ? 'Succeeded' : 'Failed');
      return;
    }
    const limits = limitsOf(job, programOf(execution, job), Date.parse(execution.startTime));
    running.set(name, { replica: watch(pid, pidStart, limits, folderOf(name), onEnd(execution)), job: execution.job });
  };

  for (const execution of executions.open()) if (execution.status !== 'Processing') takeOver(execution);
  filling = true;
  fill();

  return {
    start(job, template, trouble, name = `${job}-${suffix()}`) {
      if (executions.countOpen(job) >= maxOpen) {
        throw new ArmError(429, 'TooManyRequests', `Job ${job} has ${maxOpen} executions that wait or run`);
      }
      const execution: StoredExecution<T> = {
        name,
        job,
        status: 'Processing',
        template,
        startTime: new Date().toISOString(),
        endTime: undefined,
        pid: undefined,
        pidStart: undefined,
      };
      executions.create(execution);
      if (trouble.kind !== 'none') troubled.set(execution.name, trouble);
      if (trouble.kind === 'no-pull') finish(execution.name, job, 'Failed');
      else fill();
      return execution;
    },
    informationOn(name) {
      const trouble = troubled.get(name);
      return trouble?.kind === 'no-pull' ? trouble.information : undefined;
    },
    isStopping: (name) => stopRequested.has(name),
    logOf: (name) => logIn(folderOf(name)),
    stop(execution) {
      const { name, job } = execution;
      if (execution.endTime !== undefined || unrecorded.has(name)) return;
      stopRequested.add(name);
      const active = running.get(name);
      if (active !== undefined) {
        active.replica.stop();
        return;
      }
      clearTimeout(delayed.get(name)?.timer);
      delayed.delete(name);
      finish(name, job, 'Stopped');
    },
    async close() {
      closing = true;
      filling = false;
      for (const { timer } of delayed.values()) clearTimeout(timer);
      for (const { replica } of running.values()) replica.stop();
      if (running.size > 0) await new Promise<void>((resolve) => (wakeCloser = resolve));
      closed = true;
    },
  };
}
