/** Reconciling a project's trainings with the world: what lost its message goes on, and what was left open is ended. */
import type { Cause } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports, Stored } from '../ports.ts';
import { applyToRun, longestPauseSeconds } from './apply.ts';
import { coalesceRun } from './coalesce.ts';
import { createRun } from './create.ts';
import type { RunDocument } from './document.ts';
import { queued, trained } from './messages.ts';
import { type PollPorts, reconcileRun } from './poll.ts';
import { isOpen } from './run.ts';
import { scheduleNext } from './schedule-next.ts';
import type { Request, Scheduler } from './scheduler.ts';

/** younger state changes are still being worked on by whoever made them */
const graceSeconds = 60;
/** an evaluation that is at work hands itself on within the function timeout; without a sign for longer its message is lost */
const evaluationSilenceSeconds = 720;
/** an evaluation that has not ended by then never will */
const evaluationSeconds = 24 * 3600;

const secondsBetween = (at: string | null | undefined, now: Date): number =>
  (now.getTime() - Date.parse(at ?? '')) / 1000;

/** Sends what is unsent, ends runs that gave way, and makes the active run go on, or the next one begin. */
export async function reconcileTrainings(ports: PollPorts, project: string, cause: Cause): Promise<void> {
  const newest = { orderBy: { field: 'createdAt' as const, descending: true }, limit: 100 };
  const runs = await ports.documents.query('runs', { pk: project, ...newest });
  // a model that was brought from elsewhere waits for nobody's turn
  for (const run of runs.items) if (run.document.origin !== undefined) await reconcileUploaded(ports, run, cause);
  // read after the runs: a run is in the scheduler before it has a document
  const stored = await ports.documents.read('schedulers', project, 'scheduler');
  if (stored === undefined) return;
  await sendOutbox(ports, 'schedulers', stored);
  const scheduler = stored.document;
  for (const run of runs.items) {
    await sendOutbox(ports, 'runs', run);
    await endSuperseded(ports, run.document, scheduler);
  }
  const { active, waiting } = scheduler;
  if (active !== null) await reconcileActive(ports, project, active, cause);
  else if (waiting !== null) await scheduleNext(ports, project, waiting.run, cause);
}

async function reconcileUploaded(ports: PollPorts, run: Stored<RunDocument>, cause: Cause): Promise<void> {
  await sendOutbox(ports, 'runs', run);
  if (run.document.state === 'evaluating') await resumeEvaluation(ports, run.document, cause);
}

/** A queued run that the scheduler does not know any more gave way to another one. */
async function endSuperseded(
  ports: PollPorts,
  run: RunDocument,
  { active, waiting, decided }: Pick<Scheduler, 'active' | 'waiting' | 'decided'>,
): Promise<void> {
  if (run.state !== 'queued' || run.id === active?.run || run.id === waiting?.run) return;
  const into = decided.find((s) => s.run === run.id)?.into ?? active?.run ?? 'that came later';
  await coalesceRun(ports, run.pk, run.id, into);
}

async function reconcileActive(ports: PollPorts, project: string, active: Request, cause: Cause): Promise<void> {
  if (secondsBetween(active.at, ports.clock.now()) < graceSeconds) return;
  await createRun(ports, project, active, cause);
  const stored = await ports.documents.read('runs', project, active.run);
  if (stored === undefined) return;
  await sendOutbox(ports, 'runs', stored);
  const { state, token } = stored.document;
  if (!isOpen(state)) await scheduleNext(ports, project, active.run, cause);
  else if (state === 'evaluating') await resumeEvaluation(ports, stored.document, cause);
  else if (state === 'queued' || token === null) await resumeStart(ports, stored.document, cause);
  else await reconcileRun(ports, { project, run: active.run, token }, cause);
}

/** An evaluation that gives no sign is begun again where it stands, and given up in the end. */
async function resumeEvaluation(
  ports: PollPorts,
  { pk: project, id: run, trainedAt, judgedAt }: RunDocument,
  cause: Cause,
): Promise<void> {
  const now = ports.clock.now();
  if (secondsBetween(trainedAt, now) > evaluationSeconds) {
    const detail = `The evaluation did not end within ${evaluationSeconds / 3600} h. The dead letters of the queue evaluations say why.`;
    const failed = { kind: 'failed', code: 'evaluation-stuck', detail, at: now.toISOString() } as const;
    await applyToRun(ports, project, run, failed, cause);
    return;
  }
  if (secondsBetween(judgedAt ?? trainedAt, now) < evaluationSilenceSeconds) return;
  const { queue, message } = trained({ project, run }, cause);
  await ports.messages.send(queue, [message]);
}

/** A run whose wake-up is lost is launched, unless it may still wait for its retry. */
async function resumeStart(
  ports: Pick<Ports, 'clock' | 'messages'>,
  { pk: project, id: run, attempt, attempts }: RunDocument,
  cause: Cause,
): Promise<void> {
  const last = attempts.at(-1)?.endedAt;
  if (last !== undefined && secondsBetween(last, ports.clock.now()) < longestPauseSeconds) return;
  const { queue, message } = queued({ project, run }, cause, attempt);
  await ports.messages.send(queue, [message]);
}
