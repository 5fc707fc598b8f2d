/** Why a training does not run yet, or does not go on, in a sentence. */
import type { Waits } from '../delivery/document.ts';
import { whyWaiting } from '../delivery/why-waiting.ts';
import { type Limits, limitsFor, secondsUntilAllowed, whyHeldBack } from './limits.ts';
import { isOpen, type Run } from './run.ts';
import type { Scheduler } from './scheduler.ts';

/** The reason, or null for a run that is at work or has ended. `retrain` are the limits of its project. */
export function whyQueued(
  run: Pick<Run, 'state' | 'attempt' | 'failure' | 'submittedAt' | 'requestedBy' | 'retryAt'> & {
    id: string;
    waits?: Waits;
  },
  scheduler: Scheduler | undefined,
  retrain: Limits,
  now: Date,
): string | null {
  const waiting = isOpen(run.state) ? whyWaiting(run.waits, now) : null;
  if (waiting !== null) return waiting;
  if (run.state === 'submitted')
    return `Compute was asked for a machine at ${run.submittedAt ?? '?'}; the job has not reported yet.`;
  if (run.state !== 'queued') return null;
  if (scheduler?.active?.run === run.id) {
    if (run.attempt === 0) return 'It is its turn: the start is on its way.';
    const next = run.retryAt === undefined ? 'after a pause' : `at ${run.retryAt}`;
    return `Attempt ${run.attempt} ended as ${run.failure?.code ?? 'failed'}; the next begins ${next}.`;
  }
  if (scheduler?.waiting?.run !== run.id) return 'Another training does its work: it is about to be called off.';
  if (scheduler.active !== null) return `Training ${scheduler.active.run} has to end first.`;
  const limits = limitsFor(retrain, run.requestedBy);
  const { seconds, code } = secondsUntilAllowed(scheduler, limits, now);
  if (seconds === 0) return 'It is its turn: the start is on its way.';
  return `A limit holds it back: ${whyHeldBack[code](limits, seconds)}.`;
}
