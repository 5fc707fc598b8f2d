/** Applying events to a project's endpoint: one compare-and-swap, with what follows from it in the outbox. */
import type * as z from 'zod';
import type { EndpointDocument } from './document.ts';
import type { Outgoing } from '../delivery/document.ts';
import { feedEntry } from '../event/feed-entry.ts';
import { type Cause, type canaryCheck, compose } from '../delivery/message.ts';
import { outboxOf, sendOutbox, update } from '../delivery/outbox.ts';
import type { Ports } from '../ports.ts';
import { type Canary, type Endpoint, type EndpointEvent, newEndpoint, transition } from './transition.ts';

/** A canary is looked at this often while it is on trial; seldomer when it waits for requests that do not come. */
const checkSeconds = 15;
/** the sweep looks as often as this */
const seldomCheckSeconds = 900;

/**
 * Applies one event to an endpoint with what follows from it; undefined when it does not apply. With `etag` only
 * that very state is changed, else 'changed'.
 */
export async function applyToEndpoint(
  ports: Pick<Ports, 'documents' | 'messages'>,
  project: string,
  event: EndpointEvent,
  cause: Cause,
  etag?: string,
): Promise<EndpointDocument | 'changed' | undefined> {
  const change = (current: EndpointDocument | undefined): EndpointDocument | 'keep' => {
    const before: EndpointDocument = current ?? { id: 'endpoint', pk: project, ...newEndpoint };
    const next = transition(before, event);
    if ('rejected' in next) return 'keep';
    return { ...before, ...next, outbox: [...outboxOf(before), ...followUps(project, before, next, cause)] };
  };
  if (etag === undefined) {
    const { stored, changed } = await update(ports.documents, 'endpoints', project, 'endpoint', change);
    if (stored !== undefined) await sendOutbox(ports, 'endpoints', stored);
    return changed ? stored?.document : undefined;
  }
  const current = await ports.documents.read('endpoints', project, 'endpoint');
  const next = change(current?.document);
  if (next === 'keep') {
    // what an earlier call could not send any more is sent by its repetition
    if (current !== undefined) await sendOutbox(ports, 'endpoints', current);
    return undefined;
  }
  const saved = current?.etag === etag ? await ports.documents.replace('endpoints', next, etag) : 'changed';
  if (saved === 'changed') return 'changed';
  await sendOutbox(ports, 'endpoints', saved);
  return saved.document;
}

function followUps(project: string, before: Endpoint, after: Endpoint, cause: Cause): Outgoing[] {
  const outgoing: Outgoing[] = [];
  // records are prepended: those that were there begin where the newest of them stands
  const known = before.history[0];
  const fresh = known === undefined ? after.history : after.history.slice(0, after.history.indexOf(known));
  for (const told of fresh.toReversed()) {
    const { model, state, deployment, at, by } = told;
    const text = `Model ${model} is ${state}: ${told.reason}.`;
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
 * The message by which a canary is looked at next, and when: at the end of its trial at the latest, and then ever
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
