/** Scheduling the next run: when one ends or a limit is over, the run that waits begins. */
import type * as z from 'zod';
import type { Cause, runEnded } from '../delivery/message.ts';
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import { update } from '../update.ts';
import type { Ports } from '../ports.ts';
import { withReason } from './announce-idle.ts';
import { createRun } from './create.ts';
import type { RunDocument } from './document.ts';
import { limitsFor, secondsUntilAllowed } from './limits.ts';
import { ended, queued } from './messages.ts';
import { type Ended, release } from './release.ts';
import { isOpen, trainerFailed } from './run.ts';
import { newScheduler } from './scheduler.ts';
import { whyIdle } from './why-idle.ts';

type SchedulePorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

/** Schedules the next run after one that ended; where a limit holds it back, it is asked for again when that is over. */
export async function scheduleAfter(ports: SchedulePorts, message: z.infer<typeof runEnded>): Promise<string> {
  const { project, run } = message.data;
  const { outcome, heldBackSeconds } = await scheduleNext(ports, project, run, message);
  if (heldBackSeconds === undefined) return outcome;
  const again = ended({ project, run }, message, 'again');
  // at least a second: another instance's clock may see the limit over by now
  const waitMs = Math.max(1, heldBackSeconds) * 1000;
  await ports.messages.send(again.queue, [again.message], new Date(ports.clock.now().getTime() + waitMs));
  return outcome;
}

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
 * Lets the next run begin. `after` is the run that ended, as far as is known: it is looked up. When a limit holds the
 * next run back, `heldBackSeconds` says how long.
 */
export async function scheduleNext(
  ports: SchedulePorts,
  project: string,
  after: string,
  cause: Cause,
): Promise<{ outcome: string; heldBackSeconds?: number }> {
  const run = (await ports.documents.read('runs', project, after))?.document;
  const over = run === undefined || isOpen(run.state) ? null : endOf(run);
  const settings = (await ports.documents.read('projects', 'projects', project))?.document.settings;
  if (settings === undefined) return { outcome: 'unknown-project' };
  const now = ports.clock.now();
  const { stored } = await update(ports.documents, 'schedulers', project, 'scheduler', (current) => {
    if (current === undefined) return 'keep';
    const scheduler = { ...newScheduler, ...current };
    const released = release(scheduler, over, (w) => limitsFor(settings.retrain, w.spec.requestedBy), now);
    const reason = released.waiting === null ? null : whyIdle(settings, null, released, now);
    const document = { ...current, ...released };
    const next = reason === null ? document : withReason(document, reason, now, cause);
    if (released === scheduler && next === document) return 'keep';
    const begun = next.active !== null && next.active.run !== current.active?.run ? next.active.run : null;
    const outbox = begun === null ? [] : [queued({ project, run: begun }, cause)];
    return { ...next, outbox: [...outboxOf(next), ...outbox] };
  });
  if (stored === undefined) return { outcome: 'no-scheduler' };
  const { active, waiting } = stored.document;
  if (active !== null) await createRun(ports, project, active, cause);
  await sendOutbox(ports, 'schedulers', stored);
  if (active !== null) return { outcome: active.run === after ? 'still-open' : 'next-run-queued' };
  if (waiting === null) return { outcome: 'idle' };
  const limits = limitsFor(settings.retrain, waiting.spec.requestedBy);
  return { outcome: 'held-back', heldBackSeconds: secondsUntilAllowed(stored.document, limits, now).seconds };
}
