/** What becomes of a run whose attempt failed: it begins again, or ends. */
import { cancelledOnRequest, computeSecondsUntil, end, fenced } from './end.ts';
import { maxAttempts, maxPutOffs, type Rejection, type Run, type RunEvent, startFailed } from './run.ts';

/** Why a job that took too long is not tried again. */
export const pastDeadline = ({ trainer }: Pick<Run, 'trainer'>) => ({
  code: 'deadline',
  detail: `The job did not end within ${trainer.timeoutSeconds} s. Raise trainer.timeoutSeconds or train less.`,
  retryable: false,
});

/** What comes of a job that is being stopped for its deadline, from the job or from compute, is the end of that. */
function failureOf(run: Run, { code, detail, retryable }: Extract<RunEvent, { kind: 'attempt-failed' }>) {
  return retryable && run.stopping === 'deadline' ? pastDeadline(run) : { code, detail, retryable };
}

/** Ends the current attempt; the run is queued for the next one while attempts are left and the failure may pass. */
export function failAttempt(run: Run, event: Extract<RunEvent, { kind: 'attempt-failed' }>): Run | Rejection {
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
    ...(run.logsUrl ? { logsUrl: run.logsUrl } : {}),
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
