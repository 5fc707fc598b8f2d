/**
 * A training run: `queued -> submitted -> running -> evaluating -> registered | rejected`, and from any open state
 * `failed | cancelled`. `attempt` and `token` fence late writers; terminal states never change.
 */
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
  image: {
    width: number;
    height: number;
    channels: 1 | 3;
  };
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
  cancelRequested: boolean;
  failure: {
    code: string;
    detail: string;
    retryable: boolean;
  } | null;
  attempts: {
    attempt: number;
    token: string;
    execution: string | null;
    failure: string | null;
    endedAt: string;
  }[];
  /** how long the attempts that ended kept compute busy, from their first report on */
  computeSeconds: number;
  model: number | null;
  createdAt: string;
  submittedAt: string | null;
  startedAt: string | null;
  trainedAt: string | null;
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
  | {
      kind: 'attempt-failed';
      token: string | null;
      code: string;
      detail: string;
      retryable: boolean;
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
      at: string;
    }
  | {
      kind: 'registered' | 'rejected';
      model: number;
      at: string;
    };
export type Rejection = {
  rejected: string;
};
/** Attempts at one run before an infrastructure failure is final. */
export declare const maxAttempts = 4;
/** code of an attempt whose start call failed, as far as its caller knows */
export declare const startFailed = 'start-failed';
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
/** Applies one event; a rejection says why it does not apply (late, fenced, already ended). */
export declare function transition(run: Run, event: RunEvent): Run | Rejection;
/** Why a job that took too long is not tried again. */
export declare const pastDeadline: ({ trainer }: Pick<Run, 'trainer'>) => {
  code: string;
  detail: string;
  retryable: boolean;
};
