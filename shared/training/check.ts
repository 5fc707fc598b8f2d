/** Looking after a run that was started: lost executions, silence, deadlines, cancellation. */
import type * as z from 'zod';
import type { RunDocument } from '../documents.ts';
import { type Cause, compose, type runCheck } from '../message.ts';
import { update } from '../outbox.ts';
import type { Execution, Stored } from '../ports.ts';
import { isOpen } from './run.ts';
import { applyToRun, attemptPrefix, checkSeconds, startRun, type TrainPorts } from './start.ts';

/** No execution after this long: the start call was lost or compute is stuck. */
const startTimeoutSeconds = 900;
/** A job reports at least every 10 s; this much silence means it is gone. */
const silenceSeconds = 120;
/** Reports may be behind the execution's state by this much. */
const reportDelaySeconds = 30;

type Failure = { code: string; detail: string; retryable: boolean };

/** Compares a run with its execution, ends or restarts it when needed, and looks again later while it is open. */
export async function checkRun(ports: TrainPorts, project: string, run: string, cause: Cause): Promise<string> {
  const stored = await ports.documents.read('runs', project, run);
  if (stored === undefined) return 'unknown-run';
  const { document } = stored;
  if (!isOpen(document.state) || document.state === 'evaluating') return document.state;
  if (document.state === 'queued' || (document.state === 'submitted' && document.execution === null)) {
    await startRun(ports, project, run, cause);
    await checkLater(ports, document, cause);
    return 'started-again';
  }
  const name = document.execution ?? document.boundTo;
  const execution = name === null ? undefined : await ports.compute.get(name);
  const failure = diagnose(document, execution, ports.clock.now());
  if (failure === undefined) {
    await checkLater(ports, document, cause);
    return 'healthy';
  }
  if (name !== null && execution !== undefined && (execution.state === 'running' || execution.state === 'pending')) {
    await ports.compute.stop(name);
  }
  const at = ports.clock.now().toISOString();
  await applyToRun(ports, project, run, { kind: 'attempt-failed', token: document.token, ...failure, at }, cause);
  return failure.code;
}

/** What is wrong with a started run, if anything. */
function diagnose(run: RunDocument, execution: Execution | undefined, now: Date): Failure | undefined {
  const since = (at: string | null): number => (at === null ? 0 : (now.getTime() - Date.parse(at)) / 1000);
  const quiet = Math.min(since(run.lastReport?.at ?? run.submittedAt), since(run.submittedAt));
  if (since(run.submittedAt) > run.trainer.timeoutSeconds + 60) {
    const detail = `The job did not end within ${run.trainer.timeoutSeconds} s. Raise trainer.timeoutSeconds or train less.`;
    return { code: 'deadline', detail, retryable: false };
  }
  if (execution === undefined) {
    if (quiet < reportDelaySeconds) return undefined;
    return { code: 'execution-lost', detail: 'Compute knows nothing of the execution any more.', retryable: true };
  }
  if (execution.state === 'failed' || execution.state === 'stopped' || execution.state === 'succeeded') {
    if (quiet < reportDelaySeconds) return undefined;
    const detail = `The execution ${execution.name} is ${execution.state} and never reported its end; its log says why.`;
    return { code: `execution-${execution.state}`, detail, retryable: true };
  }
  if (run.state === 'submitted' && since(run.submittedAt) > startTimeoutSeconds) {
    return { code: 'start-timeout', detail: `The job did not begin within ${startTimeoutSeconds} s.`, retryable: true };
  }
  if (run.state === 'running' && quiet > silenceSeconds) {
    return { code: 'silent', detail: `The job has not reported for ${Math.round(quiet)} s.`, retryable: true };
  }
  return undefined;
}

async function checkLater(ports: TrainPorts, run: RunDocument, cause: Cause): Promise<void> {
  const { pk: project, id } = run;
  const message = compose<z.infer<typeof runCheck>>(
    'darkroom.run.check',
    `${project}/${id}`,
    { project, run: id },
    cause,
    'next',
  );
  await ports.messages.send(
    'training-requests',
    [message],
    new Date(ports.clock.now().getTime() + checkSeconds * 1000),
  );
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
  if (!isOpen(document.state)) return 'ended';
  if (document.token !== null) await tellJob(ports, document, document.token);
  const name = document.execution ?? document.boundTo;
  if (name !== null) await ports.compute.stop(name);
  const detail = `Cancelled by ${by}.`;
  const at = ports.clock.now().toISOString();
  await applyToRun(ports, project, run, { kind: 'cancel', at }, { ...cause, id: `${cause.id}/${detail}` });
  const after = await ports.documents.read('runs', project, run);
  return after ?? 'unknown';
}

async function tellJob(ports: TrainPorts, run: RunDocument, token: string): Promise<void> {
  const name = `${attemptPrefix(run.pk, run.id, token)}/job.json`;
  const job = await ports.blobs.get('jobs', name, { maxBytes: 1024 * 1024 });
  if (job === undefined || job === 'too-large') return;
  const document = { ...(JSON.parse(job.body.toString('utf8')) as object), cancelRequested: true };
  await ports.blobs.overwrite('jobs', name, JSON.stringify(document), { contentType: 'application/json' });
}
