/** Cancelling a run: one not started ends at once, a running one is told through its job document and stopped. */
import type { Cause } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import { update } from '../update.ts';
import type { Ports, Stored } from '../ports.ts';
import { type ApplyPorts, applyToRun } from './apply.ts';
import { computeOf, type ComputePorts } from './compute.ts';
import type { RunDocument } from './document.ts';
import { requestJobEnd } from './job.ts';
import { cancelled, isOpen } from './run.ts';

type CancelPorts = ApplyPorts & ComputePorts & Pick<Ports, 'blobs'>;

/** Asks a run to stop, and stops it; returns its document, or why there was nothing to cancel. Safe to repeat. */
export async function cancelRun(
  ports: CancelPorts,
  project: string,
  run: string,
  by: string,
  cause: Cause,
): Promise<Stored<RunDocument> | 'unknown' | 'ended'> {
  const asked = await update(ports.documents, 'runs', project, run, (current) =>
    current === undefined || !isOpen(current.state) || current.cancelRequested
      ? 'keep'
      : { ...current, cancelRequested: true },
  );
  if (asked.stored === undefined) return 'unknown';
  const { document } = asked.stored;
  if (document.state === 'cancelled' && document.cancelRequested) {
    // asked again, because the first answer did not arrive
    await sendOutbox(ports, 'runs', asked.stored);
    return asked.stored;
  }
  if (!isOpen(document.state)) return 'ended';
  await endCancelled(ports, document, by, cause);
  const after = await ports.documents.read('runs', project, run);
  return after ?? 'unknown';
}

/** Stops the job of a run whose cancellation was requested, and ends the run; `by` is null when that is not known any more. */
export async function endCancelled(
  ports: CancelPorts,
  run: RunDocument,
  by: string | null,
  cause: Cause,
): Promise<void> {
  const { pk: project, id, token } = run;
  if (token !== null) await requestJobEnd(ports, run, token);
  const name = run.execution ?? run.boundTo;
  if (name !== null) await computeOf(ports, run).stop(name);
  await applyToRun(ports, project, id, cancelled(ports.clock.now(), by), cause);
}
