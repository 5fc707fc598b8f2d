/** Giving a dead letter up: it will never be handled, and is kept with who said why. */
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { QueueName } from '../resources.ts';
import { update } from '../update.ts';
import type { DeadLetterDocument } from './document.ts';

/** The error for a dead letter that is none. */
export const unknownDeadLetter = (queue: QueueName, id: string): TerminalError =>
  new TerminalError('unknown-dead-letter', `There is no dead letter ${id} of queue ${queue}.`, 'id');

/** Dismisses a dead letter that waits. Safe to repeat. Throws a TerminalError for one that was sent again meanwhile. */
export async function dismissDeadLetter(
  ports: Pick<Ports, 'clock' | 'documents'>,
  queue: QueueName,
  id: string,
  { by, reason }: { by: string; reason: string },
): Promise<Stored<DeadLetterDocument>> {
  const at = ports.clock.now().toISOString();
  const { stored } = await update(ports.documents, 'dead-letters', queue, id, (letter) =>
    letter?.status === 'waiting' ? { ...letter, status: 'dismissed', dismissed: { at, by, reason } } : 'keep',
  );
  if (stored === undefined) throw unknownDeadLetter(queue, id);
  if (stored.document.status !== 'replayed') return stored;
  const detail = `The dead letter ${id} was sent again. Should it get stuck again it waits here, and can be given up.`;
  throw new TerminalError('dead-letter-replayed', detail, 'id');
}
