/**
 * A training run: `queued -> submitted -> running -> evaluating -> registered | rejected`, and from any open state
 * `failed | cancelled`. `attempt` and `token` fence late writers; terminal states never change.
 */
import type { Verdict } from '../evaluation/gate.ts';
import type { ImageSpec } from '../image/size.ts';
import type { Unreadable } from './job-contract.ts';

export type RunState =
  | 'queued'
  | 'submitted'
  | 'running'
  | 'evaluating'
  | 'registered'
  | 'rejected'
  | 'failed'
  | 'cancelled';

export interface RunSpec {
  version: { id: string; number: number };
  trainer: { name: string; parameters: Record<string, number | string | boolean>; timeoutSeconds: number };
  seed: number;
  /** in the order of the model's outputs */
  classes: string[];
  image: ImageSpec;
  /** who or what asked: `policy`, or the name of an API key */
  requestedBy: string;
  reason: string;
}

export interface Run extends RunSpec {
  state: RunState;
  attempt: number;
  /** identifies one start call; null until the first claim */
  token: string | null;
  /** execution name as compute knows it; null until the start call answered */
  execution: string | null;
  /** the execution whose `started` report came first; all others are stopped */
  boundTo: string | null;
  /** what the current attempt computes on; missing in runs of releases that did not ask */
  machine?: { executionProvider: string; threads: number; accelerator?: string | undefined } | null;
  /** digest of the program that the current attempt runs, in its own words; missing in runs of releases that did not ask */
  code?: string | null;
  progress: { phase: string; done: number; total: number } | null;
  /** metric history of the current attempt, newest last, at most 2,000 entries */
  metrics: { key: string; value: number; step: number }[];
  lastReport: { sequence: number; at: string } | null;
  /** samples that neither a job nor the backend could read: no later attempt is given them; missing while there are none */
  unreadable?: Unreadable[];
  cancelRequested: boolean;
  /** why the job of this run is being stopped; missing while nobody stops it */
  stopping?: 'deadline';
  failure: { code: string; detail: string; retryable: boolean } | null;
  /** those that ended; of start calls that were put off one after the other the last */
  attempts: {
    attempt: number;
    token: string;
    execution: string | null;
    failure: string | null;
    endedAt: string;
    putOff?: true;
  }[];
  /** attempts that compute did not take for the time being; missing: none */
  putOffs?: number;
  /** when the next attempt begins, of a run that is queued for another one */
  retryAt?: string;
  /** how long the attempts that ended kept compute busy, from their first report on */
  computeSeconds: number;
  model: number | null;
  /** what the gate found of the model; missing until then, and in runs of releases that kept it with the model alone */
  verdict?: Verdict;
  createdAt: string;
  submittedAt: string | null;
  startedAt: string | null;
  trainedAt: string | null;
  /** when the evaluation was last handed on to its next part; missing while the first is at work */
  judgedAt?: string;
  endedAt: string | null;
  correlation: string;
  traceparent: string | null;
}

export type RunEvent =
  /** `seen` is the run as it was when its claimant began to prepare the job */
  | { kind: 'claim'; token: string; seen: Pick<Run, 'attempt' | 'token'>; at: string }
  | { kind: 'execution-known'; token: string; execution: string }
  | {
      kind: 'started';
      token: string;
      execution: string;
      machine?: Run['machine'];
      code?: string | null;
      sequence: number;
      at: string;
    }
  | {
      kind: 'heartbeat';
      token: string;
      sequence: number;
      at: string;
      progress: Run['progress'];
      metrics: { key: string; value: number; step: number }[];
    }
  | {
      kind: 'succeeded';
      token: string;
      sequence: number;
      at: string;
      metrics: { key: string; value: number; step: number }[];
    }
  /** `putOff`: compute did not take the start call for the time being, or did not answer it */
  | {
      kind: 'attempt-failed';
      token: string | null;
      code: string;
      detail: string;
      retryable: boolean;
      putOff?: true;
      at: string;
    }
  | { kind: 'failed'; code: string; detail: string; at: string }
  | { kind: 'cancel'; detail: string; by: string | null; at: string }
  | { kind: 'judged-in-part'; at: string }
  | { kind: 'registered' | 'rejected'; model: number; verdict: Verdict; at: string };

/** What a report tells beside its kind. */
export type Told = RunEvent & { unreadable?: readonly Unreadable[] };

export type Rejection = { rejected: string };

/** Attempts at one run before an infrastructure failure is final; start calls that were put off are none. */
export const maxAttempts = 4;
/** Start calls that may be put off: about a day of them (start.ts has the pauses). */
export const maxPutOffs = 100;
const maxMetrics = 2000;
/** of one run, some 300 KB of its document; the first 1,000 of a training of 100,000 samples and more */
const maxUnreadableKept = 1000;
/** code of an attempt whose start call failed, as far as its caller knows */
export const startFailed = 'start-failed';
/** code of an attempt that the training program itself gave up */
export const trainerFailed = 'trainer-failed';
/** code of an attempt that failed on samples which the next one is not given */
export const unreadableSamples = 'unreadable-samples';

export const isOpen = (state: RunState): boolean =>
  state === 'queued' || state === 'submitted' || state === 'running' || state === 'evaluating';

/** A run that nobody has started yet. */
export function newRun(spec: RunSpec, at: string, cause: { correlation: string; traceparent: string | null }): Run {
  return {
    ...spec,
    state: 'queued',
    attempt: 0,
    token: null,
    execution: null,
    boundTo: null,
    progress: null,
    metrics: [],
    lastReport: null,
    cancelRequested: false,
    failure: null,
    attempts: [],
    computeSeconds: 0,
    model: null,
    createdAt: at,
    submittedAt: null,
    startedAt: null,
    trainedAt: null,
    endedAt: null,
    ...cause,
  };
}

/** Applies one event; a rejection says why it does not apply (late, fenced, already ended). */
export function transition(run: Run, event: Told): Run | Rejection {
  const next = apply(run, event);
  if ('rejected' in next || !event.unreadable?.length) return next;
  const known = new Set(run.unreadable?.map(({ md5 }) => md5));
  const fresh = event.unreadable.filter(({ md5 }) => !known.has(md5));
  return { ...next, unreadable: [...(run.unreadable ?? []), ...fresh].slice(0, maxUnreadableKept) };
}

function apply(run: Run, event: RunEvent): Run | Rejection {
  if (!isOpen(run.state)) return { rejected: `the run has ended as ${run.state}` };
  switch (event.kind) {
    case 'claim':
      return claim(run, event);
    case 'execution-known':
      if (event.token !== run.token) return fenced(run, event.token);
      return { ...run, execution: event.execution };
    case 'started':
      return started(run, event);
    case 'heartbeat':
      return heartbeat(run, event);
    case 'succeeded':
      if (event.token !== run.token) return fenced(run, event.token);
      if (run.state === 'evaluating') return { rejected: 'success is known already' };
      return {
        ...run,
        state: 'evaluating',
        trainedAt: event.at,
        startedAt: run.startedAt ?? event.at,
        computeSeconds: computeSecondsUntil(run, event.at),
        metrics: [...run.metrics, ...event.metrics].slice(-maxMetrics),
        lastReport: { sequence: event.sequence, at: event.at },
      };
    case 'attempt-failed':
      return attemptFailed(run, event);
    case 'failed':
      if (run.cancelRequested) return end(run, 'cancelled', event.at, cancelledOnRequest);
      return end(run, 'failed', event.at, { code: event.code, detail: event.detail, retryable: false });
    case 'cancel':
      return end(run, 'cancelled', event.at, { code: 'cancelled', detail: event.detail, retryable: false });
    case 'judged-in-part':
      if (run.state !== 'evaluating') return { rejected: `a run that is ${run.state} is not judged` };
      if (run.cancelRequested) return { rejected: 'the run is being cancelled' };
      return { ...run, judgedAt: event.at };
    case 'registered':
    case 'rejected':
      if (run.state !== 'evaluating') return { rejected: `a run that is ${run.state} has nothing to register` };
      if (run.cancelRequested) return { rejected: 'the run is being cancelled' };
      return { ...end(run, event.kind, event.at, null), model: event.model, verdict: event.verdict };
  }
}

const fenced = (run: Run, token: string | null): Rejection => ({
  rejected: `token ${token ?? 'none'} is not that of attempt ${run.attempt}`,
});

/** Compute that the run has used when its current attempt ends at `at`. */
function computeSecondsUntil(run: Run, at: string): number {
  if (run.startedAt === null || run.state === 'evaluating' || run.state === 'queued') return run.computeSeconds;
  return run.computeSeconds + Math.max(0, (Date.parse(at) - Date.parse(run.startedAt)) / 1000);
}

function claim(run: Run, event: Extract<RunEvent, { kind: 'claim' }>): Run | Rejection {
  if (run.attempt !== event.seen.attempt || run.token !== event.seen.token)
    return { rejected: `another claimed it meanwhile, as attempt ${run.attempt}` };
  if (run.cancelRequested) return { rejected: 'the run is being cancelled' };
  if (run.state !== 'queued') return { rejected: `a run that is ${run.state} cannot be started` };
  return {
    ...run,
    state: 'submitted',
    attempt: run.attempt + 1,
    token: event.token,
    execution: null,
    boundTo: null,
    machine: null,
    code: null,
    progress: null,
    metrics: [],
    lastReport: null,
    submittedAt: event.at,
    startedAt: null,
  };
}

function started(run: Run, event: Extract<RunEvent, { kind: 'started' }>): Run | Rejection {
  if (event.token !== run.token) return fenced(run, event.token);
  if (run.boundTo !== null) return { rejected: `attempt ${run.attempt} is bound to ${run.boundTo} already` };
  // reports come in any order: a heartbeat may have been first
  if (run.state !== 'submitted' && run.state !== 'running')
    return { rejected: `a run that is ${run.state} cannot start` };
  return {
    ...run,
    state: 'running',
    boundTo: event.execution,
    machine: event.machine ?? null,
    code: event.code ?? null,
    startedAt: run.startedAt ?? event.at,
    lastReport: { sequence: Math.max(event.sequence, run.lastReport?.sequence ?? 0), at: event.at },
  };
}

function heartbeat(run: Run, event: Extract<RunEvent, { kind: 'heartbeat' }>): Run | Rejection {
  if (event.token !== run.token) return fenced(run, event.token);
  if (run.state === 'evaluating') return { rejected: 'training is over' };
  if (run.lastReport !== null && event.sequence <= run.lastReport.sequence) {
    return { rejected: `report ${event.sequence} came after report ${run.lastReport.sequence}` };
  }
  return {
    ...run,
    state: 'running',
    startedAt: run.startedAt ?? event.at,
    progress: event.progress,
    metrics: [...run.metrics, ...event.metrics].slice(-maxMetrics),
    lastReport: { sequence: event.sequence, at: event.at },
  };
}

const cancelledOnRequest = { code: 'cancelled', detail: 'Cancelled on request.', retryable: false };

/** Why a job that took too long is not tried again. */
export const pastDeadline = ({ trainer }: Pick<Run, 'trainer'>) => ({
  code: 'deadline',
  detail: `The job did not end within ${trainer.timeoutSeconds} s. Raise trainer.timeoutSeconds or train less.`,
  retryable: false,
});

/** What is heard of a job that is being stopped for its deadline, from the job or from compute, is the end of that. */
function failureOf(run: Run, { code, detail, retryable }: Extract<RunEvent, { kind: 'attempt-failed' }>) {
  return retryable && run.stopping === 'deadline' ? pastDeadline(run) : { code, detail, retryable };
}

function attemptFailed(run: Run, event: Extract<RunEvent, { kind: 'attempt-failed' }>): Run | Rejection {
  if (event.token !== run.token) return fenced(run, event.token);
  if (run.state === 'evaluating') return { rejected: 'training is over' };
  if (event.code === startFailed && (run.state === 'running' || run.execution !== null))
    return { rejected: 'the job has begun: only the answer to the start call was lost' };
  const failure = failureOf(run, event);
  const putOff = event.putOff === true && run.boundTo === null;
  const ended = {
    attempt: run.attempt,
    token: run.token ?? '',
    execution: run.execution ?? run.boundTo,
    failure: failure.detail,
    endedAt: event.at,
    ...(putOff ? { putOff } : {}),
  };
  const before = putOff && run.attempts.at(-1)?.putOff ? run.attempts.slice(0, -1) : run.attempts;
  const putOffs = (run.putOffs ?? 0) + (putOff ? 1 : 0);
  const counted = { attempts: [...before, ended], ...(putOffs > 0 && { putOffs }) };
  if (run.cancelRequested) {
    return { ...end(run, 'cancelled', event.at, cancelledOnRequest), ...counted };
  }
  const isLast = putOff ? putOffs >= maxPutOffs : run.attempt - putOffs >= maxAttempts;
  if (!failure.retryable || isLast) return { ...end(run, 'failed', event.at, failure), ...counted };
  const computeSeconds = computeSecondsUntil(run, event.at);
  const unclaimed = { token: null, execution: null, boundTo: null, progress: null };
  return { ...run, ...unclaimed, state: 'queued', computeSeconds, failure, ...counted };
}

function end(run: Run, state: RunState, at: string, failure: Run['failure']): Run {
  const computeSeconds = computeSecondsUntil(run, at);
  return { ...run, state, computeSeconds, endedAt: at, failure };
}
