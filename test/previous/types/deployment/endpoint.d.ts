/**
 * The endpoint of a project: exactly one production pointer, always to a model that was loaded and smoke-scored.
 * A deployment is `preparing -> canary -> live -> retired`, or `failed`, or `rolled-back`. Flipping is one
 * compare-and-swap of this document, which keeps the previous pointer for rollback.
 */
export interface Target {
  model: number;
  digest: string;
  deployment: string;
}
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
  previous: Target | null;
  canary: Canary | null;
  /** newest first, at most 100 */
  history: ServingRecord[];
  /** deployments that were handled, so that a redelivered command changes nothing; newest first, at most 200 */
  handled: string[];
  /** grows with every change of a pointer */
  revision: number;
}
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
      /** revision that whoever asked had seen; the endpoint is left alone when it has changed since */
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
  | {
      kind: 'rollback';
      by: string;
      reason: string;
      at: string;
      deployment: string;
    };
export type Rejection = {
  rejected: string;
};
/** Applies one event; a rejection says why nothing changes. */
export declare function transition(endpoint: Endpoint, event: EndpointEvent): Endpoint | Rejection;
/** Which target answers a request: the canary gets its share, chosen by a number in [0, 1). */
export declare function route(
  endpoint: Endpoint,
  dice: number,
):
  | {
      target: Target;
      role: 'production' | 'canary';
    }
  | undefined;
