/** Sending a message once, however often what leads to it is repeated. */
import { digestOf } from '../digest.ts';
import type { Ports } from '../ports.ts';
import type { Outgoing } from './document.ts';
import { sendOutbox } from './send-outbox.ts';

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
