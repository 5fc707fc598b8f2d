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
  /** samples in the version trained on last; the policy compares against it */
  lastSamples: number;
  /** runs that were settled lately, so that a repeated request learns its fate; newest last, at most 100 */
  settled: {
    run: string;
    verdict: 'started' | 'coalesced';
    into: string | null;
  }[];
}
export interface Limits {
  maxPerDay: number;
  computeSecondsPerDay: number;
  cooldownSeconds: number;
}
type LimitCode = 'daily-limit' | 'compute-limit' | 'cooldown';
export type Verdict =
  | {
      verdict: 'start';
      run: string;
    }
  | {
      verdict: 'wait';
      behind: string | null;
    }
  /** another run does the work: the one that waits already */
  | {
      verdict: 'coalesced';
      into: string;
    }
  | {
      verdict: 'refused';
      code: LimitCode | 'too-few-new-samples';
      detail: string;
      retryAfterSeconds: number;
    };
export declare const newScheduler: Scheduler;
/** Limits that bind a request: an operator who asks has decided, so the cooldown is for the policy alone. */
export declare const limitsFor: (retrain: Limits, requestedBy: string) => Limits;
/** Seconds until the limits allow another start; 0 when they do now. */
export declare function secondsUntilAllowed(
  scheduler: Scheduler,
  limits: Limits,
  now: Date,
): {
  seconds: number;
  code: LimitCode;
};
/**
 * Asks for a run. One that began, waits or gave its place up gets the same answer when it is asked for again; one that
 * was coalesced into a waiting run is asked for anew when that run has begun.
 */
export declare function request(
  scheduler: Scheduler,
  asked: Request,
  limits: Limits,
  now: Date,
): {
  scheduler: Scheduler;
  verdict: Verdict;
};
/** Which limit holds a start back for so many seconds, and what can be done about it. */
export declare const whyHeldBack: Record<LimitCode, (limits: Limits, seconds: number) => string>;
/**
 * A run ended, after keeping compute busy for `computeSeconds`: the one that waits begins, if the limits allow it.
 * A run that ended while it waited gives its place up. Null: nothing ended, a limit may be over.
 */
export declare function release(
  scheduler: Scheduler,
  ended: {
    run: string;
    computeSeconds: number;
  } | null,
  limitsOf: (waiting: Request) => Limits,
  now: Date,
): Scheduler;
export {};
