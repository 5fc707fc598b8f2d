/**
 * What becomes of a training run: `queued -> submitted -> running -> evaluating -> registered | rejected`, and from any
 * open state `failed | cancelled`. `attempt` and `token` fence late writers; terminal states never change.
 */
import { cancelledOnRequest, computeSecondsUntil, end, fenced } from './end.ts';
import { failAttempt } from './fail-attempt.ts';
import { isOpen, type Rejection, type ReportedEvent, type Run, type RunEvent } from './run.ts';

const maxMetrics = 2000;
/** of one run, some 300 KB of its document; the first 1,000 of a training of 100,000 samples and more */
const maxUnreadableKept = 1000;

/** Applies one event; a rejection says why it does not apply (late, fenced, already ended). */
export function transition(run: Run, event: ReportedEvent): Run | Rejection {
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
      return { ...run, execution: event.execution, ...(event.logsUrl === undefined ? {} : { logsUrl: event.logsUrl }) };
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
      return failAttempt(run, event);
    case 'failed':
      if (run.cancelRequested) return end(run, 'cancelled', event.at, cancelledOnRequest);
      return end(run, 'failed', event.at, { code: event.code, detail: event.detail, retryable: false });
    case 'cancel':
      return end(run, 'cancelled', event.at, { code: 'cancelled', detail: event.detail, retryable: false });
    case 'evaluated-in-part':
      if (run.state !== 'evaluating') return { rejected: `a run that is ${run.state} is not evaluated` };
      if (run.cancelRequested) return { rejected: 'the run is being cancelled' };
      return { ...run, judgedAt: event.at };
    case 'registered':
    case 'rejected':
      if (run.state !== 'evaluating') return { rejected: `a run that is ${run.state} has nothing to register` };
      if (run.cancelRequested) return { rejected: 'the run is being cancelled' };
      return { ...end(run, event.kind, event.at, null), model: event.model, verdict: event.verdict };
  }
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
    logsUrl: null,
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
