/** Which run of a project may train: one at a time, one more waiting, and what became of those before. */
import { type Usage } from './limits.ts';
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
  decided: {
    run: string;
    decision: 'started' | 'coalesced';
    into: string | null;
  }[];
  /** code of the reason that the feed gave last why nothing trains; null or missing: none since the last start */
  idleReason?: string | null;
}
/** The scheduler of a project in which nobody has asked for a training. */
export declare const newScheduler: Scheduler;
/** What was decided of runs, with one more. */
export declare const remember: (scheduler: Scheduler, entry: Scheduler['decided'][number]) => Scheduler['decided'];
/** Makes a request the active one, and counts its start. */
export declare function begin(scheduler: Scheduler, request: Request, now: Date): Scheduler;
/**
 * Samples that the policy compares a new version with: of the largest that was tried, or is being tried. One whose run
 * compute failed does not count, so that the next version trains, however little it adds.
 */
export declare const samplesTriedOn: ({ lastSamples, active }: Pick<Scheduler, 'lastSamples' | 'active'>) => number;
