/** Requesting a training: by policy when a version is committed, or by an operator. */
import { findVersion } from '../dataset/find-version.ts';
import type { VersionSummary } from '../dataset/document.ts';
import type { Cause } from '../delivery/message.ts';
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import { update } from '../update.ts';
import { digestOf } from '../digest.ts';
import { TerminalError } from '../errors.ts';
import type { Ports } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import { endCoalesced } from './coalesce.ts';
import { missingCompute } from './compute.ts';
import { createRun } from './create.ts';
import type { SchedulerDocument } from './document.ts';
import { limitsFor } from './limits.ts';
import { queued } from './messages.ts';
import type { RunSpec } from './run.ts';
import { schedule, tooFewNewSamples, type Decision } from './schedule.ts';
import { newScheduler, type Request } from './scheduler.ts';
import { specify, trainerOf, type TrainingInput } from './specify.ts';
import { checkTrainer, unknownTrainers } from './trainers.ts';

export type RequestPorts = Pick<
  Ports,
  'clock' | 'ids' | 'documents' | 'blobs' | 'messages' | 'trainers' | 'otherComputes'
>;

/**
 * Requests a run and says what became of it. A refusal is an answer; a version that does not exist
 * or cannot be trained on is a TerminalError.
 */
export async function requestTraining(
  ports: RequestPorts,
  project: ProjectDocument,
  input: TrainingInput,
  cause: Cause,
): Promise<{ run: string; decision: Decision; note?: string }> {
  const checked = checkTrainer(ports.trainers ?? unknownTrainers, project.settings.task, trainerOf(project, input));
  if (!checked.ok) throw new TerminalError(checked.code, checked.detail);
  const missing = missingCompute(ports, project.settings);
  if (missing !== undefined) throw new TerminalError(missing.code, missing.detail);
  const version = await findVersion(ports, project.id, input.version);
  const spec = await specify(ports, project, version, input);
  const run = runId(ports, project.id, spec, input);
  const now = ports.clock.now();
  const asked: Request = { run, spec, samples: version.samples, at: now.toISOString() };
  const limits = limitsFor(project.settings.retrain, input.kind === 'policy' ? 'policy' : input.by);
  let decision: Decision | undefined;
  let begun: Request | null = null;
  let into: Request | null = null;
  const { stored, changed } = await update(ports.documents, 'schedulers', project.id, 'scheduler', (current) => {
    const scheduler: SchedulerDocument = { id: 'scheduler', pk: project.id, ...newScheduler, ...current };
    const tooFew = input.kind === 'policy' ? refusedByPolicy(scheduler, project, version, run) : undefined;
    const decided = tooFew === undefined ? schedule(scheduler, asked, limits, now) : { scheduler, decision: tooFew };
    decision = decided.decision;
    const { active, waiting } = decided.scheduler;
    into = decided.decision.decision === 'coalesced' ? named(decided.decision.into, active, waiting) : null;
    begun = active !== null && active.run !== scheduler.active?.run ? active : null;
    if (decided.scheduler === scheduler) return 'keep';
    const outbox = begun === null ? [] : [queued({ project: project.id, run: begun.run }, cause)];
    return { ...scheduler, ...decided.scheduler, outbox: [...outboxOf(scheduler), ...outbox] };
  });
  if (decision === undefined) throw new Error('the scheduler gave no decision');
  if (decision.decision === 'start' || decision.decision === 'wait') await createRun(ports, project.id, asked, cause);
  if (begun !== null) await createRun(ports, project.id, begun, cause);
  // whoever asked for that run may have died before its document was made, and the answer names it
  if (into !== null) await createRun(ports, project.id, into, cause);
  await endCoalesced(ports, project.id, decision.decision === 'coalesced' ? [run, decision.into] : [run]);
  // a storm of requests that are coalesced must not send the message of the one that starts a thousand times
  const isOwn = changed || decision.decision === 'start' || decision.decision === 'wait';
  if (stored !== undefined && isOwn) await sendOutbox(ports, 'schedulers', stored);
  return { run, decision, ...(checked.note === undefined ? {} : { note: checked.note }) };
}

const named = (run: string, ...requests: (Request | null)[]): Request | null =>
  requests.find((one) => one?.run === run) ?? null;

function refusedByPolicy(
  scheduler: SchedulerDocument,
  { settings }: ProjectDocument,
  version: VersionSummary,
  run: string,
): Decision | undefined {
  const { active, waiting, decided } = scheduler;
  if (active?.run === run || waiting?.run === run || decided.some((s) => s.run === run)) return undefined;
  const tooFew = tooFewNewSamples(scheduler, version, settings.retrain.minNewSamples);
  return tooFew === undefined ? undefined : { decision: 'refused', ...tooFew, retryAfterSeconds: 0 };
}

function runId(ports: RequestPorts, project: string, spec: RunSpec, input: TrainingInput): string {
  if (input.kind === 'manual') return `t${digestOf(23, project, 'requested', input.id ?? ports.ids.next())}`;
  const configuration = JSON.stringify([spec.trainer, spec.seed, spec.classes, spec.image]);
  return `t${digestOf(23, project, spec.version.id, configuration)}`;
}
