/** The messages of a commit window: each is planned by the one before it, in the write that uses that one up. */
import type * as z from 'zod';
import { compose } from '../delivery/compose.ts';
import type { commitDue } from '../delivery/message.ts';
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports } from '../ports.ts';
import { update } from '../update.ts';
import { windowId } from './open-window.ts';

type CommitDue = z.infer<typeof commitDue>;

/** Plans the window's next message, `waitMs` from now, in place of this one; false when another delivery has done so. */
export async function scheduleNext(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  message: CommitDue,
  waitMs: number,
): Promise<boolean> {
  const { data, subject } = message;
  const next = compose<CommitDue>('darkroom.commit.due', subject, { ...data, now: false }, message, 'next');
  const notBefore = new Date(ports.clock.now().getTime() + waitMs).toISOString();
  const id = windowId(data.generation);
  const { stored, changed } = await update(ports.documents, 'windows', data.project, id, (window) => {
    if (window === undefined || window.closed || window.nextMessage !== message.id) return 'keep';
    const due = { to: 'queue' as const, queue: 'dataset-commits' as const, message: next, notBefore };
    return { ...window, nextMessage: next.id, outbox: [...outboxOf(window), due] };
  });
  if (stored !== undefined) await sendOutbox(ports, 'windows', stored);
  return changed;
}
