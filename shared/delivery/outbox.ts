/** State changes by compare-and-swap, with their messages in the document's outbox. */
import type { DocumentTypes, Documents, Ports, Stored } from '../ports.ts';
import type { Outgoing } from './document.ts';
import { RetryLater } from '../errors.ts';
import type { Message } from './message.ts';
import { digestOf } from '../digest.ts';
import type { DocumentContainer, QueueName } from '../resources.ts';

const maxTries = 30;

/**
 * Reads, changes and replaces a document until nobody interferes (bounded). `change` gets undefined for a document
 * that does not exist and may return one to create; it returns 'keep' when there is nothing to do. Who has just read
 * the document, or expects none to be there, says so with `expected` and spares the first read; a 'keep' that is decided
 * on that returns it as it was expected.
 */
export async function update<C extends DocumentContainer>(
  documents: Documents,
  container: C,
  pk: string,
  id: string,
  change: (current: DocumentTypes[C] | undefined) => DocumentTypes[C] | 'keep',
  expected?: Stored<DocumentTypes[C]> | 'none',
): Promise<{ stored: Stored<DocumentTypes[C]> | undefined; changed: boolean }> {
  for (let tries = 0; tries < maxTries; tries++) {
    const known = tries === 0 ? expected : undefined;
    const current = known === 'none' ? undefined : (known ?? (await documents.read(container, pk, id)));
    const next = change(current?.document);
    if (next === 'keep') return { stored: current, changed: false };
    const saved =
      current === undefined
        ? await documents.create(container, next)
        : await documents.replace(container, next, current.etag);
    if (saved !== 'exists' && saved !== 'changed') return { stored: saved, changed: true };
  }
  throw new RetryLater(`${container}/${pk}/${id} changed ${maxTries} times while it was being updated`);
}

/** Sends what a saved document still has to tell, then clears it. Sending twice is harmless; losing is not. */
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

/**
 * Sends a message once, however often the delivery that leads to it is repeated: of a chain in which each message plans
 * the next one, every copy of a message would go on with a chain of its own.
 */
export async function sendOnce(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  entry: Extract<Outgoing, { to: 'queue' }>,
): Promise<void> {
  const id = `m${digestOf(31, entry.queue, entry.message.id)}`;
  const at = ports.clock.now().toISOString();
  const created = await ports.documents.create('requests', { id, pk: id, body: '', at, outbox: [entry] });
  const stored = created === 'exists' ? await ports.documents.read('requests', id, id) : created;
  if (stored !== undefined) await sendOutbox(ports, 'requests', stored);
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
