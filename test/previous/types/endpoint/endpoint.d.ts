/** The endpoint of a project, and what can happen to it; transition.ts says what becomes of it then. */
export interface Target {
  model: number;
  digest: string;
  deployment: string;
}
/** What a record or a canary points to, without the rest of it. */
export declare const targetOf: ({ model, digest, deployment }: Target) => Target;
export interface ServingRecord {
  deployment: string;
  model: number;
  digest: string;
  state: 'live' | 'canary' | 'retired' | 'failed' | 'rolled-back';
  reason: string;
  by: string;
  at: string;
}
export interface Canary extends Target {
  percent: number;
  minRequests: number;
  maxErrorRate: number;
  startedAt: string;
  endsAt: string;
}
export interface Endpoint {
  production: Target | null;
  /** where a rollback leads: `rollbackTarget`. Releases before kept here what was live last, rolled back or not */
  previous: Target | null;
  canary: Canary | null;
  /** newest first, at most 100 */
  history: ServingRecord[];
  /** deployments that were handled, so that a redelivered command changes nothing; newest first, at most 200 */
  handled: string[];
  /** grows with every change of a pointer */
  revision: number;
}
/** The endpoint of a project whose models were never deployed. */
export declare const newEndpoint: Endpoint;
export type EndpointEvent =
  | {
      kind: 'deploy';
      target: Target;
      canary:
        | (Omit<Canary, keyof Target | 'startedAt' | 'endsAt'> & {
            durationSeconds: number;
          })
        | null;
      /** leave the endpoint alone when a model that was registered later is live or on trial: messages overtake each other */
      keepNewer: boolean;
      /** revision that whoever asked had seen; the endpoint is left alone when it has changed since. Without it no trial is decided */
      seenRevision?: number | undefined;
      by: string;
      reason: string;
      at: string;
    }
  | {
      kind: 'promote';
      deployment: string;
      reason: string;
      at: string;
    }
  | {
      kind: 'return';
      deployment: string;
      reason: string;
      at: string;
    }
  | {
      kind: 'fail';
      target: Target;
      reason: string;
      by: string;
      at: string;
    }
  /** `rejected`: numbers of models that were rejected since they were live, which a rollback does not return to */
  | {
      kind: 'rollback';
      by: string;
      reason: string;
      at: string;
      deployment: string;
      rejected?: number[];
    };
