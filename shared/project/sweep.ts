/** The one timer: heals what no redelivery and no repeated request has healed. Idle projects cost a few reads. */
import type { ProjectDocument } from './document.ts';
import type { RunDocument } from '../training/document.ts';
import { type Cause, compose, type runTrained } from '../delivery/message.ts';
import { readHead } from '../dataset/stage.ts';
import { listAll } from '../list-all.ts';
import { sendOutbox } from '../delivery/outbox.ts';
import type { Ports } from '../ports.ts';
import { replayOutages } from '../delivery/replay-dead-letters.ts';
import { commit, commitWindow } from '../dataset/commit.ts';
import { reconcileRun } from '../training/poll.ts';
import type { ReportPorts } from '../training/apply-report.ts';
import { coalesceRun } from '../training/coalesce.ts';
import { createRun } from '../training/create.ts';
import { queued } from '../training/messages.ts';
import { isOpen } from '../training/run.ts';
import { applyToRun, longestPauseSeconds } from '../training/apply.ts';
import { scheduleNext } from '../training/schedule-next.ts';
import type * as z from 'zod';
import { judgeCanary } from '../endpoint/check-canary.ts';
import { resendUndelivered } from '../delivery/resend-undelivered.ts';

const maxProjects = 1000;
/** younger state changes are still being worked on by whoever made them */
const patienceSeconds = 60;
/** an evaluation that is at work hands itself on within the function timeout; without a sign for longer its message is lost */
const evaluationPatienceSeconds = 720;
/** an evaluation that has not ended by then never will */
const evaluationSeconds = 24 * 3600;

export type SweepPorts = Ports & ReportPorts;

export interface SweepReport {
  projects: number;
  /** events that Event Grid could not deliver, and messages that an outage kept waiting too long: on their way again */
  resent: number;
  problems: string[];
}

/** Goes over every project; what fails for one is reported and does not stop the others. */
export async function sweep(ports: SweepPorts): Promise<SweepReport> {
  let resent = 0;
  const problems = await attemptsAt('messages that were given up', [
    async () => void (resent += await resendUndelivered(ports)),
    async () => void (resent += await replayOutages(ports)),
  ]);
  let projects = 0;
  for await (const { document } of listAll(
    ports.documents,
    'projects',
    { pk: 'projects', limit: 100 },
    maxProjects + 1,
  )) {
    if (projects === maxProjects) {
      problems.push(`a sweep goes over ${maxProjects} projects; there are more`);
      break;
    }
    projects++;
    problems.push(...(await sweepProject(ports, document)));
  }
  for (const problem of problems) ports.telemetry.problem(problem);
  return { projects, resent, problems };
}

/** Heals one project; returns what could not be healed, and why. */
export async function sweepProject(ports: SweepPorts, project: ProjectDocument): Promise<string[]> {
  const cause: Cause = { id: `sweep-${ports.ids.next()}` };
  return attemptsAt(`sweep of ${project.id}`, [
    () => resend(ports, project),
    () => finishVersions(ports, project, cause),
    () => commitForgotten(ports, project, cause),
    () => reconcileRuns(ports, project.id, cause),
    () => mendEndpoint(ports, project.id, cause),
  ]);
}

/** Tries every piece of work in turn and returns what went wrong, so that one failure does not hide the others. */
async function attemptsAt(what: string, work: readonly (() => Promise<void>)[]): Promise<string[]> {
  const problems: string[] = [];
  for (const piece of work) {
    try {
      await piece();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return problems;
}

/** Sends what documents still have in their outbox. */
async function resend(ports: Ports, { id: project, outbox = [] }: ProjectDocument): Promise<void> {
  const changed = outbox.length === 0 ? undefined : await ports.documents.read('projects', 'projects', project);
  if (changed !== undefined) await sendOutbox(ports, 'projects', changed);
  const scheduler = await ports.documents.read('schedulers', project, 'scheduler');
  if (scheduler !== undefined) await sendOutbox(ports, 'schedulers', scheduler);
  const models = await ports.documents.query('models', {
    pk: project,
    orderBy: { field: 'number', descending: true },
    limit: 20,
  });
  for (const model of models.items) await sendOutbox(ports, 'models', model);
}

/** A head whose committer died is finished by the next commit; this is the next commit. What it left unsaid is said. */
async function finishVersions(ports: Ports, project: ProjectDocument, cause: Cause): Promise<void> {
  const head = await ports.documents.read('heads', project.id, 'head');
  if (head?.document.unfinished) await commit(ports, project, cause);
  else if (head !== undefined) await sendOutbox(ports, 'heads', head);
}

/** Samples whose window has lost its messages would wait for ever. */
async function commitForgotten(ports: Ports, project: ProjectDocument, cause: Cause): Promise<void> {
  const staged = await ports.documents.query('staged', {
    pk: project.id,
    orderBy: { field: 'stagedAt', descending: false },
    limit: 1,
  });
  const oldest = staged.items[0]?.document.stagedAt;
  const waits = oldest === undefined ? 0 : (ports.clock.now().getTime() - Date.parse(oldest)) / 1000;
  if (waits < project.settings.commit.maxWaitSeconds + patienceSeconds) return;
  const { document: head } = await readHead(ports.documents, project.id);
  await commitWindow(ports, project, head.generation, cause);
}

async function reconcileRuns(ports: SweepPorts, project: string, cause: Cause): Promise<void> {
  const newest = { orderBy: { field: 'createdAt' as const, descending: true }, limit: 100 };
  const runs = await ports.documents.query('runs', { pk: project, ...newest });
  // read after the runs: a run is in the scheduler before it has a document
  const scheduler = (await ports.documents.read('schedulers', project, 'scheduler'))?.document;
  if (scheduler === undefined) return;
  const { active, waiting, settled } = scheduler;
  for (const stored of runs.items) {
    await sendOutbox(ports, 'runs', stored);
    const run = stored.document;
    if (run.state !== 'queued' || run.id === active?.run || run.id === waiting?.run) continue;
    const into = settled.find((s) => s.run === run.id)?.into ?? active?.run ?? 'that came later';
    await coalesceRun(ports, project, run.id, into);
  }
  if (active === null) {
    if (waiting !== null) await scheduleNext(ports, project, waiting.run, cause);
    return;
  }
  if ((ports.clock.now().getTime() - Date.parse(active.at)) / 1000 < patienceSeconds) return;
  await createRun(ports, project, active, cause);
  const stored = await ports.documents.read('runs', project, active.run);
  if (stored === undefined) return;
  await sendOutbox(ports, 'runs', stored);
  const { state, token } = stored.document;
  const data = { project, run: active.run };
  if (!isOpen(state)) await scheduleNext(ports, project, active.run, cause);
  else if (state === 'evaluating') await evaluateForgotten(ports, stored.document, cause);
  else if (state === 'queued' || token === null) {
    await startForgotten(ports, stored.document, cause);
  } else {
    await reconcileRun(ports, { ...data, token }, cause);
  }
}

/** An evaluation that gives no sign is begun again where it stands, and given up in the end. */
async function evaluateForgotten(ports: Ports, { pk, id, trainedAt, judgedAt }: RunDocument, cause: Cause) {
  const now = ports.clock.now();
  const secondsSince = (at: string | null): number => (now.getTime() - Date.parse(at ?? '')) / 1000;
  if (secondsSince(trainedAt) > evaluationSeconds) {
    const detail = `The evaluation did not end within ${evaluationSeconds / 3600} h. The dead letters of the queue evaluations say why.`;
    await applyToRun(ports, pk, id, { kind: 'failed', code: 'evaluation-stuck', detail, at: now.toISOString() }, cause);
    return;
  }
  if (secondsSince(judgedAt ?? trainedAt) < evaluationPatienceSeconds) return;
  const data = { project: pk, run: id };
  const message = compose<z.infer<typeof runTrained>>('darkroom.run.trained', `${pk}/${id}`, data, cause);
  await ports.messages.send('evaluations', [message]);
}

/** A run whose wake-up is lost is started, unless it may still wait for its retry. */
async function startForgotten(ports: Ports, { pk, id, attempt, attempts }: RunDocument, cause: Cause): Promise<void> {
  const last = attempts.at(-1)?.endedAt;
  const waits = last === undefined ? Infinity : (ports.clock.now().getTime() - Date.parse(last)) / 1000;
  if (waits < longestPauseSeconds) return;
  await ports.messages.send('training-requests', [queued({ project: pk, run: id }, cause, attempt).message]);
}

/** Sends what the endpoint still has to tell, and judges a canary whose messages are lost: it would be on trial for ever. */
async function mendEndpoint(ports: Ports, project: string, cause: Cause): Promise<void> {
  const endpoint = await ports.documents.read('endpoints', project, 'endpoint');
  if (endpoint === undefined) return;
  await sendOutbox(ports, 'endpoints', endpoint);
  if (endpoint.document.canary) await judgeCanary(ports, project, endpoint.document.canary, cause);
}
