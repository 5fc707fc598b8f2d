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
  /** seconds that runs which ended on `day` kept compute busy */
  computeSecondsToday: number;
  lastStartedAt: string | null;
  /** samples in the largest version whose run has ended, unless compute failed it; see `samplesTriedOn` */
  lastSamples: number;
  /** runs that were settled lately, so that a repeated request learns its fate; newest last, at most 100 */
  settled: { run: string; verdict: 'started' | 'coalesced'; into: string | null }[];
  /** code of the reason that the feed gave last why nothing trains; null or missing: none since the last start */
  waitingFor?: string | null;
}

export interface Limits {
  maxPerDay: number;
  computeSecondsPerDay: number;
  cooldownSeconds: number;
}

type LimitCode = 'daily-limit' | 'compute-limit' | 'cooldown';

export type Verdict =
  | { verdict: 'start'; run: string }
  | { verdict: 'wait'; behind: string | null }
  /** another run does the work: the one that waits already */
  | { verdict: 'coalesced'; into: string }
  | {
      verdict: 'refused';
      code: LimitCode | 'too-few-new-samples';
      detail: string;
      retryAfterSeconds: number;
    };

export const newScheduler: Scheduler = {
  active: null,
  waiting: null,
  day: '',
  startedToday: 0,
  computeSecondsToday: 0,
  lastStartedAt: null,
  lastSamples: 0,
  settled: [],
};

const remember = (scheduler: Scheduler, entry: Scheduler['settled'][number]): Scheduler['settled'] =>
  [...scheduler.settled.filter((s) => s.run !== entry.run), entry].slice(-100);

/** Limits that bind a request: an operator who asks has decided, so the cooldown is for the policy alone. */
export const limitsFor = (retrain: Limits, requestedBy: string): Limits => ({
  maxPerDay: retrain.maxPerDay,
  computeSecondsPerDay: retrain.computeSecondsPerDay,
  cooldownSeconds: requestedBy === 'policy' ? retrain.cooldownSeconds : 0,
});

/** The scheduler with the counters of today. The day never goes back: clocks that differ at midnight reset nothing. */
function today(scheduler: Scheduler, now: Date): Scheduler {
  const day = now.toISOString().slice(0, 10);
  return day > scheduler.day ? { ...scheduler, day, startedToday: 0, computeSecondsToday: 0 } : scheduler;
}

/** Seconds until the limits allow another start; 0 when they do now. */
export function secondsUntilAllowed(
  scheduler: Scheduler,
  limits: Limits,
  now: Date,
): { seconds: number; code: LimitCode } {
  const { day, startedToday, computeSecondsToday, lastStartedAt } = today(scheduler, now);
  const midnight = Date.parse(`${day}T00:00:00Z`) + 86_400_000;
  const untilMidnight = Math.ceil((midnight - now.getTime()) / 1000);
  if (startedToday >= limits.maxPerDay) return { seconds: untilMidnight, code: 'daily-limit' };
  if (computeSecondsToday >= limits.computeSecondsPerDay) return { seconds: untilMidnight, code: 'compute-limit' };
  if (lastStartedAt !== null && limits.cooldownSeconds > 0) {
    const left = Date.parse(lastStartedAt) + limits.cooldownSeconds * 1000 - now.getTime();
    if (left > 0) return { seconds: Math.ceil(left / 1000), code: 'cooldown' };
  }
  return { seconds: 0, code: 'cooldown' };
}

function begin(scheduler: Scheduler, request: Request, now: Date): Scheduler {
  const counted = today(scheduler, now);
  return {
    ...counted,
    active: request,
    waiting: scheduler.waiting?.run === request.run ? null : scheduler.waiting,
    startedToday: counted.startedToday + 1,
    lastStartedAt: now.toISOString(),
    waitingFor: null,
    settled: remember(scheduler, { run: request.run, verdict: 'started', into: null }),
  };
}

/**
 * Samples that the policy compares a new version with: of the largest that was tried, or is being tried. One whose run
 * compute failed does not count, so that the next version trains, however little it adds.
 */
export const samplesTriedOn = ({ lastSamples, active }: Pick<Scheduler, 'lastSamples' | 'active'>): number =>
  Math.max(lastSamples, active?.samples ?? 0);

/** Why the policy does not train on a version yet: it hardly differs from one that was tried. */
export function tooFewNewSamples(
  scheduler: Pick<Scheduler, 'lastSamples' | 'active'>,
  version: { number: number; samples: number },
  minNewSamples: number,
): { code: 'too-few-new-samples'; detail: string } | undefined {
  const fresh = version.samples - samplesTriedOn(scheduler);
  if (fresh >= minNewSamples) return undefined;
  const detail = `Version ${version.number} has ${fresh} samples more than the largest that a training was made of; retrain.minNewSamples asks for ${minNewSamples}.`;
  return { code: 'too-few-new-samples', detail };
}

/** A run that ended. `failedByCompute`: for no fault of the data or the trainer, in all of its attempts. */
export interface Ended {
  run: string;
  computeSeconds: number;
  failedByCompute: boolean;
}

/** What became of a run that was asked for before; undefined for one that is new. */
function fateOf(scheduler: Scheduler, run: string): Verdict | undefined {
  if (scheduler.active?.run === run) return { verdict: 'start', run };
  if (scheduler.waiting?.run === run) return { verdict: 'wait', behind: scheduler.active?.run ?? null };
  const known = scheduler.settled.find((s) => s.run === run);
  if (known === undefined) return undefined;
  if (known.verdict === 'started') return { verdict: 'start', run };
  // the run that took its place may have been replaced in turn
  let into = known.into ?? '';
  for (const s of scheduler.settled.slice(scheduler.settled.indexOf(known))) if (s.run === into) into = s.into ?? into;
  return { verdict: 'coalesced', into };
}

/**
 * Asks for a run. One that began, waits or gave its place up gets the same answer when it is asked for again; one that
 * was coalesced into a waiting run is asked for anew when that run has begun.
 */
export function request(
  scheduler: Scheduler,
  asked: Request,
  limits: Limits,
  now: Date,
): { scheduler: Scheduler; verdict: Verdict } {
  const fate = fateOf(scheduler, asked.run);
  if (fate !== undefined) return { scheduler, verdict: fate };
  const { active, waiting } = scheduler;
  const wait = secondsUntilAllowed(scheduler, limits, now);
  if (waiting === null) {
    if (wait.seconds > 0 && (active === null || wait.code !== 'cooldown'))
      return { scheduler, verdict: refusal(wait, limits) };
    if (active === null)
      return { scheduler: begin(scheduler, asked, now), verdict: { verdict: 'start', run: asked.run } };
    return { scheduler: { ...scheduler, waiting: asked }, verdict: { verdict: 'wait', behind: active.run } };
  }
  const newer = asked.spec.version.number > waiting.spec.version.number;
  // nothing to save: of a storm only those write that change what will train, the others would wait for each other
  if (!newer && (active !== null || wait.seconds > 0))
    return { scheduler, verdict: { verdict: 'coalesced', into: waiting.run } };
  const [kept, dropped] = newer ? [asked, waiting] : [waiting, asked];
  const settled = remember(scheduler, { run: dropped.run, verdict: 'coalesced', into: kept.run });
  const merged = { ...scheduler, waiting: kept, settled };
  // nothing trains while one waits: a limit held it back, which may not bind this request
  const next = active === null && wait.seconds === 0 ? begin(merged, kept, now) : merged;
  return { scheduler: next, verdict: fateOf(next, asked.run) ?? { verdict: 'coalesced', into: kept.run } };
}

/** Which limit holds a start back for so many seconds, and what can be done about it. */
export const whyHeldBack: Record<LimitCode, (limits: Limits, seconds: number) => string> = {
  'daily-limit': ({ maxPerDay }, seconds) =>
    `all ${maxPerDay} trainings of today are used; raise retrain.maxPerDay or wait ${seconds} s`,
  'compute-limit': ({ computeSecondsPerDay }, seconds) =>
    `today's trainings used up ${computeSecondsPerDay} s of compute; raise retrain.computeSecondsPerDay or wait ${seconds} s`,
  cooldown: ({ cooldownSeconds }, seconds) =>
    `the last training began less than ${cooldownSeconds} s ago; wait ${seconds} s or lower retrain.cooldownSeconds`,
};

function refusal({ code, seconds }: { seconds: number; code: LimitCode }, limits: Limits): Verdict {
  return { verdict: 'refused', code, detail: whyHeldBack[code](limits, seconds), retryAfterSeconds: seconds };
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
    const counted = today(scheduler, now);
    const computeSecondsToday = counted.computeSecondsToday + Math.round(ended.computeSeconds);
    const lastSamples = ended.failedByCompute ? counted.lastSamples : samplesTriedOn(counted);
    return { ...counted, active: null, computeSecondsToday, lastSamples };
  }
  if (scheduler.waiting?.run !== ended.run) return scheduler;
  const settled = remember(scheduler, { run: ended.run, verdict: 'started', into: null });
  return { ...scheduler, waiting: null, settled };
}
