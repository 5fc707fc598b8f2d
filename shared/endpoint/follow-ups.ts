/** What follows from a transition of an endpoint: what the feed says, and the check of a canary. */
import type * as z from 'zod';
import type { Outgoing } from '../delivery/document.ts';
import type { canaryCheck, Cause } from '../delivery/message.ts';
import { compose } from '../delivery/compose.ts';
import { feedEntry } from '../event/feed-entry.ts';
import type { Canary, Endpoint } from './endpoint.ts';

/** A canary is checked this often while it is on trial; seldomer when it waits for requests that do not come. */
const checkSeconds = 15;
/** the sweep comes as often as this */
const seldomCheckSeconds = 900;

/** What one change of an endpoint sends. */
export function followUps(project: string, before: Endpoint, after: Endpoint, cause: Cause): Outgoing[] {
  const outgoing: Outgoing[] = [];
  // records are prepended: those that were there begin where the newest of them stands
  const known = before.history[0];
  const fresh = known === undefined ? after.history : after.history.slice(0, after.history.indexOf(known));
  for (const added of fresh.toReversed()) {
    const { model, state, deployment, at, by } = added;
    const text = `Model ${model} is ${state}: ${added.reason}.`;
    const entry = { type: `deployment.${state}`, subject: `models/${model}`, text, at, by };
    outgoing.push(feedEntry(project, entry, ['deployment', deployment, state, String(after.revision)], cause));
  }
  if (after.canary !== null && after.canary.deployment !== before.canary?.deployment) {
    const check = nextCheck(project, after.canary, new Date(after.canary.startedAt), cause);
    if (check !== undefined) outgoing.push(check);
  }
  return outgoing;
}

/**
 * The message by which a canary is checked next, and when: at the end of its trial at the latest, and then ever
 * less often, until the sweep is enough: an endpoint that nobody asks must cost nothing. Undefined: it is left to that.
 */
export function nextCheck(
  project: string,
  canary: Canary,
  now: Date,
  cause: Cause,
): Extract<Outgoing, { to: 'queue' }> | undefined {
  const { deployment } = canary;
  const data = { project, deployment };
  const subject = `${project}/${deployment}`;
  const message = compose<z.infer<typeof canaryCheck>>('darkroom.canary.check', subject, data, cause, 'next');
  const leftSeconds = (Date.parse(canary.endsAt) - now.getTime()) / 1000;
  const seconds = leftSeconds > 0 ? Math.min(checkSeconds, leftSeconds) : Math.max(checkSeconds, -leftSeconds / 4);
  if (seconds > seldomCheckSeconds) return undefined;
  return {
    to: 'queue',
    queue: 'deployments',
    message,
    notBefore: new Date(now.getTime() + seconds * 1000).toISOString(),
  };
}
