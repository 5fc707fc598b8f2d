/**
 * The endpoint of a project: exactly one production pointer, always to a model that was loaded and smoke-scored.
 * A deployment is `preparing -> canary -> live -> retired`, or `failed`, or `rolled-back`. Flipping is one
 * compare-and-swap of this document, which keeps where a rollback leads.
 */
import { type Endpoint, type EndpointEvent, type ServingRecord, targetOf } from './endpoint.ts';
import { endTrial, goLive, handled, record } from './go-live.ts';
import { rollbackTarget } from './rollback-target.ts';

export type Rejection = { rejected: string };

/** Applies one event; a rejection says why nothing changes. */
export function transition(endpoint: Endpoint, event: EndpointEvent): Endpoint | Rejection {
  const next = apply(endpoint, event);
  return 'rejected' in next ? next : { ...next, previous: rollbackTarget(next) };
}

function apply(endpoint: Endpoint, event: EndpointEvent): Endpoint | Rejection {
  switch (event.kind) {
    case 'deploy':
      return deploy(endpoint, event);
    case 'fail':
      if (endpoint.handled.includes(event.target.deployment)) return { rejected: 'this deployment was handled before' };
      return {
        ...endpoint,
        handled: handled(endpoint, event.target.deployment),
        history: record(endpoint, {
          ...event.target,
          state: 'failed',
          reason: event.reason,
          by: event.by,
          at: event.at,
        }),
      };
    case 'promote': {
      const canary = endpoint.canary;
      if (canary === null || canary.deployment !== event.deployment)
        return { rejected: 'this deployment is not the canary' };
      return goLive({ ...endpoint, canary: null }, targetOf(canary), {
        reason: event.reason,
        by: 'canary',
        at: event.at,
      });
    }
    case 'return': {
      const canary = endpoint.canary;
      if (canary === null || canary.deployment !== event.deployment)
        return { rejected: 'this deployment is not the canary' };
      return {
        ...endpoint,
        canary: null,
        revision: endpoint.revision + 1,
        history: record(endpoint, {
          ...targetOf(canary),
          state: 'rolled-back',
          reason: event.reason,
          by: 'canary',
          at: event.at,
        }),
      };
    }
    case 'rollback':
      return rollback(endpoint, event);
  }
}

function deploy(endpoint: Endpoint, event: Extract<EndpointEvent, { kind: 'deploy' }>): Endpoint | Rejection {
  const { target, canary, by, reason, at } = event;
  if (endpoint.handled.includes(target.deployment)) return { rejected: 'this deployment was handled before' };
  const known = { ...endpoint, handled: handled(endpoint, target.deployment) };
  if (event.seenRevision !== undefined && event.seenRevision !== endpoint.revision) {
    const overtaken = 'the endpoint was changed since it was asked for; read it and decide anew';
    return { ...known, history: record(endpoint, { ...target, state: 'failed', reason: overtaken, by, at }) };
  }
  const decided = event.seenRevision === undefined ? undefined : decideTrial(known, event);
  if (decided !== undefined) return decided;
  const needless = whyNeedless(endpoint, event);
  if (needless !== undefined)
    return { ...known, history: record(endpoint, { ...target, state: 'retired', reason: needless, by, at }) };
  const free = endTrial(known, { reason: `model ${target.model} took its place`, by, at });
  if (canary === null || endpoint.production === null) return goLive(free, target, { reason, by, at });
  const { durationSeconds, ...rules } = canary;
  const endsAt = new Date(Date.parse(at) + durationSeconds * 1000).toISOString();
  return {
    ...free,
    canary: { ...target, ...rules, startedAt: at, endsAt },
    revision: endpoint.revision + 1,
    history: record(free, { ...target, state: 'canary', reason, by, at }),
  };
}

/**
 * Ends a trial in favour of the model that is asked for: the one on trial goes live, or the live one stays. Only for
 * those who have seen the trial: a command that is repeated because its answer was lost must not end what it began.
 */
function decideTrial(
  endpoint: Endpoint,
  { target, by, reason, at }: Extract<EndpointEvent, { kind: 'deploy' }>,
): Endpoint | undefined {
  const { canary, production } = endpoint;
  if (canary === null) return undefined;
  if (target.digest === canary.digest) {
    const free = endTrial(endpoint, { reason: 'it was deployed before its trial was decided', by, at });
    return goLive(free, target, { reason, by, at });
  }
  if (target.digest !== production?.digest) return undefined;
  const needless: ServingRecord = { ...target, state: 'retired', reason: 'the same model is live already', by, at };
  const told = { ...endpoint, revision: endpoint.revision + 1, history: record(endpoint, needless) };
  return endTrial(told, { reason: `model ${target.model} stays live`, by, at });
}

function whyNeedless(
  { production, canary }: Endpoint,
  { target, keepNewer }: Extract<EndpointEvent, { kind: 'deploy' }>,
): string | undefined {
  if (production?.digest === target.digest) return 'the same model is live already';
  const newest = Math.max(production?.model ?? 0, canary?.model ?? 0);
  return keepNewer && newest > target.model ? `model ${newest}, which is newer, came first` : undefined;
}

function rollback(endpoint: Endpoint, event: Extract<EndpointEvent, { kind: 'rollback' }>): Endpoint | Rejection {
  if (endpoint.handled.includes(event.deployment)) return { rejected: 'this rollback was done before' };
  const { production } = endpoint;
  const target = rollbackTarget(endpoint, event.rejected);
  if (production === null || target === null) return { rejected: 'there is no earlier model to return to' };
  const { by, at } = event;
  const free = endTrial(endpoint, { reason: 'the endpoint was rolled back', by, at });
  const stepped = {
    ...free,
    handled: handled(endpoint, event.deployment),
    history: record(free, {
      ...production,
      state: 'rolled-back',
      reason: event.reason,
      by: event.by,
      at: event.at,
    }),
  };
  return {
    ...stepped,
    production: target,
    previous: null,
    revision: endpoint.revision + 1,
    history: record(stepped, {
      ...target,
      state: 'live',
      reason: `rollback: ${event.reason}`,
      by: event.by,
      at: event.at,
    }),
  };
}
