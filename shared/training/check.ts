/** Looking after a run that was started: lost executions, silence, deadlines, cancellation. */
import type * as z from 'zod';
import type { RunDocument } from './document.ts';
import { TerminalError } from '../errors.ts';
import { type Cause, compose, type runCheck } from '../delivery/message.ts';
import { sendOnce, sendOutbox, update } from '../delivery/outbox.ts';
import type { Execution, Stored } from '../ports.ts';
import { isOpen } from './run.ts';
import { pastDeadline } from './transition.ts';
import { hearReport, type HearPorts } from './hear.ts';
import { readReport, reportFile } from './report.ts';
import {
  applyToRun,
  attemptPrefix,
  cancelled,
  checkSeconds,
  startRun,
  startTimeoutSeconds,
  type TrainPorts,
} from './start.ts';

/** A job reports at least every 10 s; this much silence means it is gone. */
const silenceSeconds = 120;
/** Reports may be behind the execution's state by this much. */
const reportDelaySeconds = 30;
/** What a job may take beyond its time limit to end by itself. */
const graceSeconds = 60;
const maxReportsPerCheck = 200;

type Failure = { code: string; detail: string; retryable: boolean };

interface Look {
  outcome: string;
  /** the attempt goes on: look again later */
  again: boolean;
}
type Checked = z.infer<typeof runCheck>['data'];

/** Looks at an attempt, and plans the next look while it lasts. */
export async function checkRun(ports: HearPorts, checked: Checked, cause: Cause): Promise<string> {
  const { outcome, again } = await lookAtRun(ports, checked, cause);
  if (!again) return outcome;
  const next = compose<z.infer<typeof runCheck>>(
    'darkroom.run.check',
    `${checked.project}/${checked.run}`,
    checked,
    cause,
    'next',
  );
  const notBefore = new Date(ports.clock.now().getTime() + checkSeconds * 1000).toISOString();
  await sendOnce(ports, { to: 'queue', queue: 'training-requests', message: next, notBefore });
  return outcome;
}

/** Compares an attempt with its execution, and ends or restarts it when needed. */
export async function lookAtRun(ports: HearPorts, { project, run, token }: Checked, cause: Cause): Promise<Look> {
  const stored = await ports.documents.read('runs', project, run);
  if (stored === undefined) return { outcome: 'unknown-run', again: false };
  const { document } = stored;
  // the next attempt is looked after by checks of its own; one that is queued waits for its backoff
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
    return { outcome: await startRun(ports, { project, run }, cause), again: true };
  return reconcile(ports, document, token, cause);
}

async function reconcile(ports: HearPorts, run: RunDocument, token: string, cause: Cause): Promise<Look> {
  const name = run.execution ?? run.boundTo;
  const execution = name === null ? undefined : await ports.compute.get(name);
  const failure = diagnose(run, execution, ports.clock.now());
  if (failure === undefined) return { outcome: 'healthy', again: true };
  if ((await hearLostReports(ports, run, token, cause)) > 0) return { outcome: 'reports-were-late', again: true };
  if (name !== null && execution !== undefined && (execution.state === 'running' || execution.state === 'pending')) {
    // said first: the job will report that it was told to end, and that report may be heard before this look goes on
    if (failure.code === 'deadline') await markStopping(ports, run, token);
    await ports.compute.stop(name);
  }
  const at = ports.clock.now().toISOString();
  await applyToRun(ports, run.pk, run.id, { kind: 'attempt-failed', token, ...failure, at }, cause);
  return { outcome: failure.code, again: false };
}

async function markStopping(ports: TrainPorts, run: RunDocument, token: string): Promise<void> {
  await update(ports.documents, 'runs', run.pk, run.id, (current) =>
    current?.token !== token || !isOpen(current.state) ? 'keep' : { ...current, stopping: 'deadline' },
  );
}

/**
 * Reads the reports that follow the last one heard: the blobs are the truth, their events are late or lost at times.
 * Returns how many changed the run.
 */
async function hearLostReports(ports: HearPorts, run: RunDocument, token: string, cause: Cause): Promise<number> {
  let heard = 0;
  const first = (run.lastReport?.sequence ?? 0) + 1;
  for (let sequence = first; sequence < first + maxReportsPerCheck; sequence++) {
    try {
      const report = await readReport(ports, `${attemptPrefix(run.pk, run.id, token)}/${reportFile(sequence)}`);
      if (report === undefined) break;
      const from = { project: run.pk, run: run.id, token };
      const applied = await hearReport(ports, from, report, { ...cause, id: `${cause.id}/${sequence}` });
      if (applied !== undefined) heard++;
    } catch (error) {
      // its own event records what is wrong with it
      if (!(error instanceof TerminalError)) throw error;
    }
  }
  return heard;
}

/** What is wrong with a started run, if anything; `execution` is what compute knows of it. */
export function diagnose(run: RunDocument, execution: Execution | undefined, now: Date): Failure | undefined {
  const since = (at: string | null): number => (at === null ? 0 : (now.getTime() - Date.parse(at)) / 1000);
  const quiet = Math.min(since(run.lastReport?.at ?? run.submittedAt), since(run.submittedAt));
  const isLate = run.startedAt !== null && since(run.startedAt) > run.trainer.timeoutSeconds + graceSeconds;
  if (execution === undefined) {
    if (isLate) return pastDeadline(run);
    if (quiet < reportDelaySeconds) return undefined;
    return {
      code: 'execution-lost',
      detail:
        'Compute knows nothing of the execution any more; it was deleted, or its machine was taken away. It is tried again while attempts are left.',
      retryable: true,
    };
  }
  if (execution.state === 'failed' || execution.state === 'stopped' || execution.state === 'succeeded') {
    if (quiet < reportDelaySeconds) return undefined;
    const detail = `${endOf(run, execution)} ${execution.reason ?? 'Its log says why.'}`;
    // whoever looks late cannot say that the job was: it may have died early, of an outage that is over only now
    return { code: `execution-${execution.state}`, detail, retryable: true };
  }
  if (isLate) return pastDeadline(run);
  if (run.state === 'submitted' && since(run.submittedAt) > startTimeoutSeconds) {
    const waits =
      execution.state === 'pending' ? 'Compute still prepares it: no machine is free, or the image is stuck.' : '';
    const detail = `The job did not begin within ${startTimeoutSeconds} s. ${execution.reason ?? waits}`.trim();
    return { code: 'start-timeout', detail, retryable: true };
  }
  if (run.state === 'running' && quiet > silenceSeconds) {
    return { code: 'silent', detail: `The job has not reported for ${Math.round(quiet)} s.`, retryable: true };
  }
  return undefined;
}

/** How an execution ended that told nothing itself. */
function endOf(run: RunDocument, { name, state }: Execution): string {
  if (run.startedAt !== null) return `The execution ${name} is ${state} and never reported its end.`;
  return `The execution ${name} is ${state}, before the training began: the machine or the image did not come, or the program ended at once.`;
}

/** Asks a run to stop: one not started ends at once, a running one is told through its job document and stopped. */
export async function cancelRun(
  ports: TrainPorts,
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

async function endCancelled(ports: TrainPorts, run: RunDocument, by: string | null, cause: Cause): Promise<void> {
  const { pk: project, id, token } = run;
  if (token !== null) await tellJob(ports, run, token);
  const name = run.execution ?? run.boundTo;
  if (name !== null) await ports.compute.stop(name);
  await applyToRun(ports, project, id, cancelled(ports.clock.now(), by), cause);
}

async function tellJob(ports: TrainPorts, run: RunDocument, token: string): Promise<void> {
  const name = `${attemptPrefix(run.pk, run.id, token)}/job.json`;
  const job = await ports.blobs.get('jobs', name, { maxBytes: 1024 * 1024 });
  if (job === undefined || job === 'too-large') return;
  const document = { ...(JSON.parse(job.body.toString('utf8')) as object), cancelRequested: true };
  await ports.blobs.overwrite('jobs', name, JSON.stringify(document), { contentType: 'application/json' });
}
