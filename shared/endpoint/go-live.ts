/** Steps that transitions of an endpoint have in common: a model goes live, a trial ends, and what is kept of it. */
import { type Endpoint, type ServingRecord, type Target, targetOf } from './endpoint.ts';

/** The history with one more record, newest first. */
export const record = (endpoint: Endpoint, entry: ServingRecord): ServingRecord[] =>
  [entry, ...endpoint.history].slice(0, 100);

/** The deployments that were handled, with one more. */
export const handled = (endpoint: Endpoint, deployment: string): string[] =>
  [deployment, ...endpoint.handled.filter((d) => d !== deployment)].slice(0, 200);

/** Takes a canary off trial because of something else that happens to the endpoint. */
export function endTrial(endpoint: Endpoint, why: { reason: string; by: string; at: string }): Endpoint {
  const { canary } = endpoint;
  if (canary === null) return endpoint;
  return { ...endpoint, canary: null, history: record(endpoint, { ...targetOf(canary), state: 'retired', ...why }) };
}

/** Makes a target the one in production; what was there is retired. */
export function goLive(endpoint: Endpoint, target: Target, why: { reason: string; by: string; at: string }): Endpoint {
  const before = endpoint.production;
  const retired =
    before === null
      ? endpoint
      : {
          ...endpoint,
          history: record(endpoint, { ...before, ...why, state: 'retired', reason: `model ${target.model} took over` }),
        };
  return {
    ...retired,
    production: target,
    previous: before,
    revision: endpoint.revision + 1,
    history: record(retired, { ...target, ...why, state: 'live' }),
  };
}
