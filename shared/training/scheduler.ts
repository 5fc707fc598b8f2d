/**
 * Which run may train: one at a time per project, one more waiting. A request that comes while another waits
 * replaces it when its version is newer (coalescing), so a storm of requests costs two jobs, not a thousand.
 */
import type { RunSpec } from './run.ts';

export interface Request {
  run: string;
  spec: RunSpec;
  /** samples in the version */
  samples: number;
  at: string;
}

export interface Scheduler {
  active: Request | null;
  waiting: Request | null;
  /** runs begun on the UTC day `day` */
  day: string;
  startedToday: number;
  lastStartedAt: string | null;
  /** samples in the version trained on last; the policy compares against it */
  lastSamples: number;
  /** runs that were settled lately, so that a repeated request learns its fate; newest last, at most 100 */
  settled: { run: string; verdict: 'started' | 'coalesced'; into: string | null }[];
}

export interface Limits {
  maxPerDay: number;
  cooldownSeconds: number;
}

export type Verdict =
  | { verdict: 'start'; run: string }
  | { verdict: 'wait'; behind: string }
  /** another run does the work: the one that waits already */
  | { verdict: 'coalesced'; into: string }
  | {
      verdict: 'refused';
      code: 'daily-limit' | 'cooldown' | 'too-few-new-samples';
      detail: string;
      retryAfterSeconds: number;
    };

export const newScheduler: Scheduler = {
  active: null,
  waiting: null,
  day: '',
  startedToday: 0,
  lastStartedAt: null,
  lastSamples: 0,
  settled: [],
};

const remember = (scheduler: Scheduler, entry: Scheduler['settled'][number]): Scheduler['settled'] =>
  [...scheduler.settled.filter((s) => s.run !== entry.run), entry].slice(-100);

/** Seconds until the limits allow another start; 0 when they do now. */
export function secondsUntilAllowed(
  scheduler: Scheduler,
  limits: Limits,
  now: Date,
): { seconds: number; code: 'daily-limit' | 'cooldown' } {
  const today = now.toISOString().slice(0, 10);
  if (scheduler.day === today && scheduler.startedToday >= limits.maxPerDay) {
    const midnight = Date.parse(`${today}T00:00:00Z`) + 86_400_000;
    return { seconds: Math.ceil((midnight - now.getTime()) / 1000), code: 'daily-limit' };
  }
  if (limits.maxPerDay === 0) return { seconds: 86_400, code: 'daily-limit' };
  if (scheduler.lastStartedAt !== null && limits.cooldownSeconds > 0) {
    const left = Date.parse(scheduler.lastStartedAt) + limits.cooldownSeconds * 1000 - now.getTime();
    if (left > 0) return { seconds: Math.ceil(left / 1000), code: 'cooldown' };
  }
  return { seconds: 0, code: 'cooldown' };
}

function begin(scheduler: Scheduler, request: Request, now: Date): Scheduler {
  const day = now.toISOString().slice(0, 10);
  return {
    ...scheduler,
    active: request,
    waiting: scheduler.waiting?.run === request.run ? null : scheduler.waiting,
    day,
    startedToday: (scheduler.day === day ? scheduler.startedToday : 0) + 1,
    lastStartedAt: now.toISOString(),
    lastSamples: request.samples,
    settled: remember(scheduler, { run: request.run, verdict: 'started', into: null }),
  };
}

/** Asks for a run; the same run id asked twice gets the same answer. */
export function request(
  scheduler: Scheduler,
  asked: Request,
  limits: Limits,
  now: Date,
): { scheduler: Scheduler; verdict: Verdict } {
  const known = scheduler.settled.find((s) => s.run === asked.run);
  if (scheduler.active?.run === asked.run || known?.verdict === 'started') {
    return { scheduler, verdict: { verdict: 'start', run: asked.run } };
  }
  if (known?.verdict === 'coalesced') return { scheduler, verdict: { verdict: 'coalesced', into: known.into ?? '' } };
  if (scheduler.waiting?.run === asked.run) {
    return { scheduler, verdict: { verdict: 'wait', behind: scheduler.active?.run ?? '' } };
  }
  const wait = secondsUntilAllowed(scheduler, limits, now);
  if (scheduler.active === null && scheduler.waiting === null) {
    if (wait.seconds > 0) return { scheduler, verdict: refusal(wait, limits) };
    return { scheduler: begin(scheduler, asked, now), verdict: { verdict: 'start', run: asked.run } };
  }
  const waiting = scheduler.waiting;
  if (waiting === null) {
    if (wait.code === 'daily-limit' && wait.seconds > 0) return { scheduler, verdict: refusal(wait, limits) };
    return {
      scheduler: { ...scheduler, waiting: asked },
      verdict: { verdict: 'wait', behind: scheduler.active?.run ?? '' },
    };
  }
  if (asked.spec.version.number > waiting.spec.version.number) {
    const settled = remember(scheduler, { run: waiting.run, verdict: 'coalesced', into: asked.run });
    return {
      scheduler: { ...scheduler, waiting: asked, settled },
      verdict: { verdict: 'wait', behind: scheduler.active?.run ?? '' },
    };
  }
  const settled = remember(scheduler, { run: asked.run, verdict: 'coalesced', into: waiting.run });
  return { scheduler: { ...scheduler, settled }, verdict: { verdict: 'coalesced', into: waiting.run } };
}

function refusal(wait: { seconds: number; code: 'daily-limit' | 'cooldown' }, limits: Limits): Verdict {
  const detail =
    wait.code === 'daily-limit'
      ? `all ${limits.maxPerDay} trainings of today are used; raise retrain.maxPerDay or wait ${wait.seconds} s`
      : `the last training began less than ${limits.cooldownSeconds} s ago; wait ${wait.seconds} s or lower retrain.cooldownSeconds`;
  return { verdict: 'refused', code: wait.code, detail, retryAfterSeconds: wait.seconds };
}

/** The active run ended: the one that waits begins, if the limits allow it. */
export function release(scheduler: Scheduler, run: string, limits: Limits, now: Date): Scheduler {
  const freed = scheduler.active?.run === run ? { ...scheduler, active: null } : scheduler;
  if (freed.active !== null || freed.waiting === null) return freed;
  return secondsUntilAllowed(freed, limits, now).seconds > 0 ? freed : begin(freed, freed.waiting, now);
}
