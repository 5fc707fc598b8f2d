/** Announcing in a project's feed why nothing trains, once for each reason. */
import type { Cause } from '../delivery/message.ts';
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import { update } from '../update.ts';
import { feedEntry } from '../event/feed-entry.ts';
import type { Ports } from '../ports.ts';
import type { SchedulerDocument } from './document.ts';
import { newScheduler } from './scheduler.ts';
import type { Reason } from '../task/task.ts';

/**
 * The scheduler that announces this reason in the feed; the very same one when it was announced before and nothing began since,
 * or something trains: of a thousand versions that wait for the same thing one is announced.
 */
export function withReason(scheduler: SchedulerDocument, reason: Reason, now: Date, cause: Cause): SchedulerDocument {
  if (scheduler.active !== null || scheduler.idleReason === reason.code) return scheduler;
  const at = now.toISOString();
  const text = `Nothing trains: ${reason.detail}`;
  const said = { type: 'training.waiting', subject: 'trainings', text, at, by: null };
  const entry = feedEntry(scheduler.pk, said, ['training.waiting', reason.code, cause.id], cause);
  return { ...scheduler, idleReason: reason.code, outbox: [...outboxOf(scheduler), entry] };
}

/** Says in the feed why a version started no training. */
export async function announceIdle(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  project: string,
  reason: Reason,
  cause: Cause,
): Promise<void> {
  const now = ports.clock.now();
  const { stored } = await update(ports.documents, 'schedulers', project, 'scheduler', (current) => {
    const scheduler: SchedulerDocument = { id: 'scheduler', pk: project, ...newScheduler, ...current };
    const announced = withReason(scheduler, reason, now, cause);
    return announced === scheduler ? 'keep' : announced;
  });
  if (stored !== undefined) await sendOutbox(ports, 'schedulers', stored);
}
