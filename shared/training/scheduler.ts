/** Which run of a project may train: one at a time, one more waiting, and what became of those before. */
import { type Usage, usageToday } from './limits.ts';
import type { RunSpec } from './run.ts';

export interface Request {
  run: string;
  spec: RunSpec;
  /** samples in the version */
  samples: number;
  at: string;
}

export interface Scheduler extends Usage {
  active: Request | null;
  waiting: Request | null;
  /** samples in the largest version whose run has ended, unless compute failed it; see `samplesTriedOn` */
  lastSamples: number;
  /** what was decided of runs lately, so that a repeated request learns its fate; newest last, at most 100 */
  decided: { run: string; decision: 'started' | 'coalesced'; into: string | null }[];
  /** code of the reason that the feed gave last why nothing trains; null or missing: none since the last start */
  idleReason?: string | null;
}

/** The scheduler of a project in which nobody has asked for a training. */
export const newScheduler: Scheduler = {
  active: null,
  waiting: null,
  day: '',
  startedToday: 0,
  computeSecondsToday: 0,
  lastStartedAt: null,
  lastSamples: 0,
  decided: [],
};

/** What was decided of runs, with one more. */
export const remember = (scheduler: Scheduler, entry: Scheduler['decided'][number]): Scheduler['decided'] =>
  [...scheduler.decided.filter((s) => s.run !== entry.run), entry].slice(-100);

/** Makes a request the active one, and counts its start. */
export function begin(scheduler: Scheduler, request: Request, now: Date): Scheduler {
  const counted = usageToday(scheduler, now);
  return {
    ...counted,
    active: request,
    waiting: scheduler.waiting?.run === request.run ? null : scheduler.waiting,
    startedToday: counted.startedToday + 1,
    lastStartedAt: now.toISOString(),
    idleReason: null,
    decided: remember(scheduler, { run: request.run, decision: 'started', into: null }),
  };
}

/**
 * Samples that the policy compares a new version with: of the largest that was tried, or is being tried. One whose run
 * compute failed does not count, so that the next version trains, however little it adds.
 */
export const samplesTriedOn = ({ lastSamples, active }: Pick<Scheduler, 'lastSamples' | 'active'>): number =>
  Math.max(lastSamples, active?.samples ?? 0);
