/** Reconciling a project's batches: one whose message is lost goes on. */
import type { Cause } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports } from '../ports.ts';
import { due } from './messages.ts';

/** as many as are looked at: at most five of a project are at work, and a few more where they began at once */
const mostOpen = 20;
/** a batch that is at work keeps a part, or is handed on, well within that */
const silenceSeconds = 720;

/** Sends what is unsent, and wakes batches that have given no sign for too long. */
export async function reconcileBatches(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  project: string,
  cause: Cause,
): Promise<void> {
  // what one that has ended could not send is sent by the delivery, or the request, that ended it and is repeated
  const open = { pk: project, equals: { state: 'scoring' as const }, limit: mostOpen };
  const batches = await ports.documents.query('batches', open);
  for (const stored of batches.items) {
    await sendOutbox(ports, 'batches', stored);
    const { id, movedAt, parts } = stored.document;
    const silentMs = ports.clock.now().getTime() - Date.parse(movedAt);
    if (silentMs < silenceSeconds * 1000) continue;
    const { queue, message } = due(project, id, parts, cause);
    await ports.messages.send(queue, [message]);
  }
}
