/** What a run that ended leaves to the next: its place, and what it used of the limits. */
import { type Limits, secondsUntilAllowed, usageToday } from './limits.ts';
import { begin, remember, type Request, samplesTriedOn, type Scheduler } from './scheduler.ts';

/** A run that ended. `failedByCompute`: for no fault of the data or the trainer, in all of its attempts. */
export interface Ended {
  run: string;
  computeSeconds: number;
  failedByCompute: boolean;
}

/**
 * A run ended, after keeping compute busy for `computeSeconds`: the one that waits begins, if the limits allow it.
 * A run that ended while it waited gives its place up. Null: nothing ended, a limit may be over.
 */
export function release(
  scheduler: Scheduler,
  ended: Ended | null,
  limitsOf: (waiting: Request) => Limits,
  now: Date,
): Scheduler {
  const freed = ended === null ? scheduler : free(scheduler, ended, now);
  const { active, waiting } = freed;
  if (active !== null || waiting === null) return freed;
  return secondsUntilAllowed(freed, limitsOf(waiting), now).seconds > 0 ? freed : begin(freed, waiting, now);
}

function free(scheduler: Scheduler, ended: Ended, now: Date): Scheduler {
  if (scheduler.active?.run === ended.run) {
    const counted = usageToday(scheduler, now);
    const computeSecondsToday = counted.computeSecondsToday + Math.round(ended.computeSeconds);
    const lastSamples = ended.failedByCompute ? counted.lastSamples : samplesTriedOn(counted);
    return { ...counted, active: null, computeSecondsToday, lastSamples };
  }
  if (scheduler.waiting?.run !== ended.run) return scheduler;
  const decided = remember(scheduler, { run: ended.run, decision: 'started', into: null });
  return { ...scheduler, waiting: null, decided };
}
