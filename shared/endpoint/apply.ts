/** Applying events to a project's endpoint: one compare-and-swap, with what follows from it in the outbox. */
import type { Cause } from '../delivery/message.ts';
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import { update } from '../update.ts';
import type { Ports } from '../ports.ts';
import type { EndpointDocument } from './document.ts';
import { type EndpointEvent, newEndpoint } from './endpoint.ts';
import { followUps } from './follow-ups.ts';
import { transition } from './transition.ts';

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
