/** Polling a run that was launched: lost executions, silence, deadlines, cancellation. */
import type * as z from 'zod';
import type { Cause, runPoll } from '../delivery/message.ts';
import { sendOnce } from '../delivery/send-once.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import { update } from '../update.ts';
import { TerminalError } from '../errors.ts';
import type { Ports } from '../ports.ts';
import { applyToRun } from './apply.ts';
import { applyReport, type ReportPorts } from './apply-report.ts';
import { endCancelled } from './cancel.ts';
import { computeOf, type ComputePorts } from './compute.ts';
import { diagnose } from './diagnose.ts';
import type { RunDocument } from './document.ts';
import { findLostStart } from './find-lost-start.ts';
import { attemptPrefix } from './job.ts';
import { pollDue } from './messages.ts';
import { readReport, reportFile } from './read-report.ts';
import { isOpen } from './run.ts';

export type PollPorts = ReportPorts & ComputePorts;

const maxReportsPerPoll = 200;

interface Poll {
  outcome: string;
  /** the attempt goes on: poll again later */
  again: boolean;
}
type Attempt = z.infer<typeof runPoll>['data'];

/** Polls an attempt, and plans the next poll while it lasts. */
export async function pollRun(ports: PollPorts, attempt: Attempt, cause: Cause): Promise<string> {
  const { outcome, again } = await reconcileRun(ports, attempt, cause);
  if (again) await sendOnce(ports, pollDue(attempt, cause, 'next', ports.clock.now()));
  return outcome;
}

/** Compares an attempt with its execution, and ends or restarts it when needed. */
export async function reconcileRun(ports: PollPorts, { project, run, token }: Attempt, cause: Cause): Promise<Poll> {
  const stored = await ports.documents.read('runs', project, run);
  if (stored === undefined) return { outcome: 'unknown-run', again: false };
  const { document } = stored;
  // the next attempt has polls of its own; one that is queued waits for its backoff
  if (document.token !== token) return { outcome: 'another-attempt', again: false };
  if (!isOpen(document.state) || document.state === 'evaluating') {
    await sendOutbox(ports, 'runs', stored);
    return { outcome: document.state, again: false };
  }
  if (document.cancelRequested) {
    await endCancelled(ports, document, null, cause);
    return { outcome: 'cancelled', again: false };
  }
  if (document.state === 'submitted' && document.execution === null)
    return { outcome: await findLostStart(ports, stored, token, cause), again: true };
  return compare(ports, document, token, cause);
}

async function compare(ports: PollPorts, run: RunDocument, token: string, cause: Cause): Promise<Poll> {
  const name = run.execution ?? run.boundTo;
  const execution = name === null ? undefined : await computeOf(ports, run).get(name);
  const failure = diagnose(run, execution, ports.clock.now());
  if (failure === undefined) return { outcome: 'healthy', again: true };
  if ((await applyLostReports(ports, run, token, cause)) > 0) return { outcome: 'reports-were-late', again: true };
  if (name !== null && execution !== undefined && (execution.state === 'running' || execution.state === 'pending')) {
    // said first: the job will report that it was told to end, and that report may be read before this poll goes on
    if (failure.code === 'deadline') await markStopping(ports, run, token);
    await computeOf(ports, run).stop(name);
  }
  const at = ports.clock.now().toISOString();
  await applyToRun(ports, run.pk, run.id, { kind: 'attempt-failed', token, ...failure, at }, cause);
  return { outcome: failure.code, again: false };
}

async function markStopping(ports: Pick<Ports, 'documents'>, run: RunDocument, token: string): Promise<void> {
  await update(ports.documents, 'runs', run.pk, run.id, (current) =>
    current?.token !== token || !isOpen(current.state) ? 'keep' : { ...current, stopping: 'deadline' },
  );
}

/**
 * Reads the reports that follow the last one applied: the blobs are the truth, their events are late or lost at times.
 * Returns how many changed the run.
 */
async function applyLostReports(ports: ReportPorts, run: RunDocument, token: string, cause: Cause): Promise<number> {
  let count = 0;
  const first = (run.lastReport?.sequence ?? 0) + 1;
  for (let sequence = first; sequence < first + maxReportsPerPoll; sequence++) {
    try {
      const report = await readReport(ports, `${attemptPrefix(run.pk, run.id, token)}/${reportFile(sequence)}`);
      if (report === undefined) break;
      const from = { project: run.pk, run: run.id, token };
      const applied = await applyReport(ports, from, report, { ...cause, id: `${cause.id}/${sequence}` });
      if (applied !== undefined) count++;
    } catch (error) {
      // its own event records what is wrong with it
      if (!(error instanceof TerminalError)) throw error;
    }
  }
  return count;
}
