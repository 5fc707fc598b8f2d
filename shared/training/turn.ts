/** Whose turn it is: when a run ends or a limit is over, the run that waits begins. */
import type { RunDocument } from './document.ts';
import type { Cause } from '../delivery/message.ts';
import { outboxOf, sendOutbox, update } from '../delivery/outbox.ts';
import type { Ports } from '../ports.ts';
import { ensureRun, queued } from './request.ts';
import { isOpen, trainerFailed } from './run.ts';
import { type Ended, limitsFor, newScheduler, release, secondsUntilAllowed } from './scheduler.ts';
import { waitingFor, withReason } from './waiting-for.ts';

/** A job that never began and never said why says nothing about data or trainer, even where compute refused it for good. */
function endOf({ id, computeSeconds, state, failure, startedAt }: RunDocument): Ended {
  const neverBegan = startedAt === null && failure?.code !== trainerFailed;
  return {
    run: id,
    computeSeconds,
    failedByCompute: state === 'failed' && (failure?.retryable === true || neverBegan),
  };
}

/**
 * Lets the next run begin. `ended` is the run that ended, as far as is known: it is looked up. When a limit holds the
 * next run back, `heldBackSeconds` says how long.
 */
export async function passTurn(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  project: string,
  ended: string,
  cause: Cause,
): Promise<{ outcome: string; heldBackSeconds?: number }> {
  const run = (await ports.documents.read('runs', project, ended))?.document;
  const over = run === undefined || isOpen(run.state) ? null : endOf(run);
  const settings = (await ports.documents.read('projects', 'projects', project))?.document.settings;
  if (settings === undefined) return { outcome: 'unknown-project' };
  const now = ports.clock.now();
  const { stored } = await update(ports.documents, 'schedulers', project, 'scheduler', (current) => {
    if (current === undefined) return 'keep';
    const scheduler = { ...newScheduler, ...current };
    const released = release(scheduler, over, (w) => limitsFor(settings.retrain, w.spec.requestedBy), now);
    const reason = released.waiting === null ? null : waitingFor(settings, null, released, now);
    const document = { ...current, ...released };
    const next = reason === null ? document : withReason(document, reason, now, cause);
    if (released === scheduler && next === document) return 'keep';
    const begun = next.active !== null && next.active.run !== current.active?.run ? next.active.run : null;
    const outbox = begun === null ? [] : [queued(project, begun, cause)];
    return { ...next, outbox: [...outboxOf(next), ...outbox] };
  });
  if (stored === undefined) return { outcome: 'no-scheduler' };
  const { active, waiting } = stored.document;
  if (active !== null) await ensureRun(ports, project, active, cause);
  await sendOutbox(ports, 'schedulers', stored);
  if (active !== null) return { outcome: active.run === ended ? 'still-open' : 'next-run-queued' };
  if (waiting === null) return { outcome: 'idle' };
  const limits = limitsFor(settings.retrain, waiting.spec.requestedBy);
  return { outcome: 'held-back', heldBackSeconds: secondsUntilAllowed(stored.document, limits, now).seconds };
}
