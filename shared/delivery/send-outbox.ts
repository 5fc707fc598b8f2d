/** Sending what a document's outbox holds: messages and feed entries that were saved together with a change of state. */
import type { DocumentTypes } from '../document-types.ts';
import type { Ports, Stored } from '../ports.ts';
import type { DocumentContainer, QueueName } from '../resources.ts';
import type { Outgoing } from './document.ts';
import type { Message } from './message.ts';

/** Sends what a saved document still has to send, then clears it. Sending twice is harmless; losing is not. */
export async function sendOutbox<C extends DocumentContainer>(
  ports: Pick<Ports, 'documents' | 'messages'>,
  container: C,
  stored: Stored<DocumentTypes[C]>,
): Promise<void> {
  const outbox = outboxOf(stored.document);
  if (outbox.length === 0) return;
  for (const group of groupByQueue(outbox)) await ports.messages.send(group.queue, group.messages, group.notBefore);
  for (const entry of outbox) if (entry.to === 'feed') await ports.documents.create('events', entry.event);
  // 'changed' is fine: whoever changed the document sees the same outbox and clears it in turn
  await ports.documents.replace(container, { ...stored.document, outbox: [] }, stored.etag);
}

/** What a document still has to send. */
export const outboxOf = (document: object): Outgoing[] => (document as { outbox?: Outgoing[] }).outbox ?? [];

function groupByQueue(outbox: Outgoing[]): { queue: QueueName; messages: Message[]; notBefore?: Date }[] {
  const groups = new Map<string, { queue: QueueName; messages: Message[]; notBefore?: Date }>();
  for (const entry of outbox) {
    if (entry.to !== 'queue') continue;
    const key = `${entry.queue} ${entry.notBefore ?? ''}`;
    const group = groups.get(key) ?? {
      queue: entry.queue,
      messages: [],
      ...(entry.notBefore === undefined ? {} : { notBefore: new Date(entry.notBefore) }),
    };
    group.messages.push(entry.message);
    groups.set(key, group);
  }
  return [...groups.values()];
}
