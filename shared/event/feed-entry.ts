/** Entries of a project's activity feed, as they ride in the outbox of the document whose change they describe. */
import type { EventDocument } from './document.ts';
import type { Outgoing } from '../delivery/document.ts';
import type { Cause } from '../delivery/message.ts';
import { digestOf } from '../digest.ts';

/** a sentence, not a report: what it is about has the rest */
const maxTextLength = 1000;

/** An entry; `what` names what it describes, so that describing it twice writes one document. */
export function feedEntry(
  project: string,
  { type, subject, text, at, by }: Pick<EventDocument, 'type' | 'subject' | 'text' | 'at' | 'by'>,
  what: readonly string[],
  cause: Pick<Cause, 'id'>,
): Extract<Outgoing, { to: 'feed' }> {
  const id = `e${digestOf(31, project, ...what)}`;
  const shortText = text.length > maxTextLength ? `${text.slice(0, maxTextLength - 3)}...` : text;
  return { to: 'feed', event: { id, pk: project, type, subject, text: shortText, at, cause: cause.id, by } };
}
