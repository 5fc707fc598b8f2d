/** What ends a run, and what its end adds up to. */
import type { Rejection, Run, RunState } from './run.ts';

/** Failure of a run that was cancelled by whoever asked for it to stop. */
export const cancelledOnRequest = { code: 'cancelled', detail: 'Cancelled on request.', retryable: false };

/** Why an event does not apply: it comes from another attempt than the current one. */
export const fenced = (run: Run, token: string | null): Rejection => ({
  rejected: `token ${token ?? 'none'} is not that of attempt ${run.attempt}`,
});

/** Compute that the run has used when its current attempt ends at `at`. */
export function computeSecondsUntil(run: Run, at: string): number {
  if (run.startedAt === null || run.state === 'evaluating' || run.state === 'queued') return run.computeSeconds;
  return run.computeSeconds + Math.max(0, (Date.parse(at) - Date.parse(run.startedAt)) / 1000);
}

/** The run as it has ended at `at`. */
export function end(run: Run, state: RunState, at: string, failure: Run['failure']): Run {
  const computeSeconds = computeSecondsUntil(run, at);
  return { ...run, state, computeSeconds, endedAt: at, failure };
}
