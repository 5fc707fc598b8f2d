/** A training run, and the events that happen to it; transition.ts says what becomes of it then. */
import type { Verdict } from '../task/verdict.ts';
import type { ImageSpec } from '../image/size.ts';
import type { Unreadable } from './job-contract.ts';
export type RunState =
  | 'queued'
  | 'submitted'
  | 'running'
  | 'evaluating'
  | 'registered'
  | 'rejected'
  | 'failed'
  | 'cancelled';
export interface RunSpec {
  /** the project's task kind */
  task: string;
  version: {
    id: string;
    number: number;
  };
  trainer: {
    name: string;
    parameters: Record<string, number | string | boolean>;
    timeoutSeconds: number;
  };
  seed: number;
  /** in the order of the model's outputs */
  classes: string[];
  image: ImageSpec;
  /** who or what asked: `policy`, or the name of an API key */
  requestedBy: string;
  reason: string;
}
export interface Run extends RunSpec {
  state: RunState;
  attempt: number;
  /** identifies one start call; null until the first claim */
  token: string | null;
  /** execution name as compute knows it; null until the start call answered */
  execution: string | null;
  /** the execution whose `started` report came first; all others are stopped */
  boundTo: string | null;
  /** what the current attempt computes on; missing in runs of releases that did not ask */
  machine?: {
    executionProvider: string;
    threads: number;
    accelerator?: string | undefined;
  } | null;
  /** digest of the program that the current attempt runs, in its own words; missing in runs of releases that did not ask */
  code?: string | null;
  progress: {
    phase: string;
    done: number;
    total: number;
  } | null;
  /** metric history of the current attempt, newest last, at most 2,000 entries */
  metrics: {
    key: string;
    value: number;
    step: number;
  }[];
  lastReport: {
    sequence: number;
    at: string;
  } | null;
  /** samples that neither a job nor the backend could read: no later attempt is given them; missing while there are none */
  unreadable?: Unreadable[];
  cancelRequested: boolean;
  /** why the job of this run is being stopped; missing while nobody stops it */
  stopping?: 'deadline';
  failure: {
    code: string;
    detail: string;
    retryable: boolean;
  } | null;
  /** those that ended; of start calls that were put off one after the other the last */
  attempts: {
    attempt: number;
    token: string;
    execution: string | null;
    failure: string | null;
    endedAt: string;
    putOff?: true;
  }[];
  /** attempts that compute did not take for the time being; missing: none */
  putOffs?: number;
  /** when the next attempt begins, of a run that is queued for another one */
  retryAt?: string;
  /** how long the attempts that ended kept compute busy, from their first report on */
  computeSeconds: number;
  model: number | null;
  /** what the gate found of the model; missing until then, and in runs of releases that kept it with the model alone */
  verdict?: Verdict;
  createdAt: string;
  submittedAt: string | null;
  startedAt: string | null;
  trainedAt: string | null;
  /** when the evaluation was last handed on to its next part; missing while the first is at work */
  judgedAt?: string;
  endedAt: string | null;
  correlation: string;
  traceparent: string | null;
}
export type RunEvent =
  /** `seen` is the run as it was when its claimant began to prepare the job */
  | {
      kind: 'claim';
      token: string;
      seen: Pick<Run, 'attempt' | 'token'>;
      at: string;
    }
  | {
      kind: 'execution-known';
      token: string;
      execution: string;
    }
  | {
      kind: 'started';
      token: string;
      execution: string;
      machine?: Run['machine'];
      code?: string | null;
      sequence: number;
      at: string;
    }
  | {
      kind: 'heartbeat';
      token: string;
      sequence: number;
      at: string;
      progress: Run['progress'];
      metrics: {
        key: string;
        value: number;
        step: number;
      }[];
    }
  | {
      kind: 'succeeded';
      token: string;
      sequence: number;
      at: string;
      metrics: {
        key: string;
        value: number;
        step: number;
      }[];
    }
  /** `putOff`: compute did not take the start call for the time being, or did not answer it */
  | {
      kind: 'attempt-failed';
      token: string | null;
      code: string;
      detail: string;
      retryable: boolean;
      putOff?: true;
      at: string;
    }
  | {
      kind: 'failed';
      code: string;
      detail: string;
      at: string;
    }
  | {
      kind: 'cancel';
      detail: string;
      by: string | null;
      at: string;
    }
  | {
      kind: 'evaluated-in-part';
      at: string;
    }
  | {
      kind: 'registered' | 'rejected';
      model: number;
      verdict: Verdict;
      at: string;
    };
/** An event with what its report says besides. */
export type ReportedEvent = RunEvent & {
  unreadable?: readonly Unreadable[];
};
export type Rejection = {
  rejected: string;
};
/** Attempts at one run before an infrastructure failure is final; start calls that were put off are none. */
export declare const maxAttempts = 4;
/** Start calls that may be put off: about a day of them (apply.ts has the pauses). */
export declare const maxPutOffs = 100;
/** A job that does not begin within this time never will: compute is stuck. */
export declare const startTimeoutSeconds = 900;
/** code of an attempt whose start call failed, as far as its caller knows */
export declare const startFailed = 'start-failed';
/** code of an attempt that the training program itself gave up */
export declare const trainerFailed = 'trainer-failed';
/** code of an attempt that failed on samples which the next one is not given */
export declare const unreadableSamples = 'unreadable-samples';
/** Whether a run in this state can still go on. */
export declare const isOpen: (state: RunState) => boolean;
/** A run that nobody has started yet. */
export declare function newRun(
  spec: RunSpec,
  at: string,
  cause: {
    correlation: string;
    traceparent: string | null;
  },
): Run;
/** The event by which a run is cancelled; `by` is null when that is not known any more. */
export declare function cancelled(
  now: Date,
  by: string | null,
): Extract<
  RunEvent,
  {
    kind: 'cancel';
  }
>;
