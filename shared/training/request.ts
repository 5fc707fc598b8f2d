/** Asking for a training: by policy when a version is committed, or by an operator. */
import type * as z from 'zod';
import { entries } from '../dataset/walk.ts';
import { treeStore } from '../dataset/store.ts';
import type { ProjectDocument, RunDocument, SchedulerDocument, VersionSummary } from '../documents.ts';
import { TerminalError } from '../errors.ts';
import { chooseImageSpec } from '../image/size.ts';
import { type Cause, compose, type runQueued } from '../message.ts';
import { digestOf } from '../names.ts';
import { outboxOf, sendOutbox, update } from '../outbox.ts';
import type { Ports } from '../ports.ts';
import { isOpen, newRun, type RunSpec } from './run.ts';
import { newScheduler, request, type Request, type Verdict } from './scheduler.ts';

type RequestPorts = Pick<Ports, 'clock' | 'ids' | 'documents' | 'blobs' | 'messages'>;

export interface TrainingInput {
  /** a repeated id is the same request */
  id?: string | undefined;
  /** id, number or `head` */
  version?: string | undefined;
  trainer?:
    | { name?: string | undefined; parameters?: Record<string, number | string | boolean> | undefined }
    | undefined;
  seed?: number | undefined;
  reason?: string | undefined;
  by: string;
  kind: 'manual' | 'policy';
}

/** Samples looked at to choose an image size. */
const imageSpecSamples = 200;

/**
 * Asks for a run and says what became of it. A refusal is an answer; a version that does not exist
 * or cannot be trained on is a TerminalError.
 */
export async function requestTraining(
  ports: RequestPorts,
  project: ProjectDocument,
  input: TrainingInput,
  cause: Cause,
): Promise<{ run: string; verdict: Verdict }> {
  const version = await findVersion(ports, project.id, input.version);
  const spec = await specify(ports, project, version, input);
  const run = runId(ports, project.id, spec, input);
  const now = ports.clock.now();
  const asked: Request = { run, spec, samples: version.samples, at: now.toISOString() };
  const { retrain } = project.settings;
  // an operator who asks has decided: only the daily limit binds
  const limits = {
    maxPerDay: retrain.maxPerDay,
    cooldownSeconds: input.kind === 'policy' ? retrain.cooldownSeconds : 0,
  };
  let verdict: Verdict | undefined;
  let replaced: string | null = null;
  const { stored } = await update(ports.documents, 'schedulers', project.id, 'scheduler', (current) => {
    const scheduler = current ?? { id: 'scheduler', pk: project.id, ...newScheduler };
    const tooFew = input.kind === 'policy' ? tooFewNewSamples(scheduler, project, version, run) : undefined;
    if (tooFew !== undefined) {
      verdict = tooFew;
      return 'keep';
    }
    const decided = request(scheduler, asked, limits, now);
    verdict = decided.verdict;
    replaced = scheduler.waiting !== null && decided.scheduler.waiting?.run === run ? scheduler.waiting.run : null;
    if (decided.scheduler === scheduler) return 'keep';
    const begun = decided.scheduler.active?.run === run && scheduler.active?.run !== run;
    return {
      ...scheduler,
      ...decided.scheduler,
      outbox: [...outboxOf(scheduler), ...(begun ? [queued(project.id, run, cause)] : [])],
    };
  });
  if (verdict === undefined) throw new Error('the scheduler gave no verdict');
  if (verdict.verdict === 'start' || verdict.verdict === 'wait') await ensureRun(ports, project.id, run, spec, cause);
  if (replaced !== null && replaced !== run) await coalesce(ports, project.id, replaced, run);
  if (stored !== undefined) await sendOutbox(ports, 'schedulers', stored);
  return { run, verdict };
}

/** The message that a run may be started. */
export function queued(
  project: string,
  run: string,
  cause: Cause,
): { to: 'queue'; queue: 'training-requests'; message: z.infer<typeof runQueued> } {
  const message = compose<z.infer<typeof runQueued>>(
    'darkroom.run.queued',
    `${project}/${run}`,
    { project, run },
    cause,
  );
  return { to: 'queue', queue: 'training-requests', message };
}

/** Finds a version by id, number or `head`. */
export async function findVersion(
  ports: Pick<Ports, 'documents'>,
  project: string,
  wanted: string | undefined,
): Promise<VersionSummary> {
  if (wanted === undefined || wanted === 'head') {
    const head = (await ports.documents.read('heads', project, 'head'))?.document.head;
    if (head) return head;
    throw new TerminalError(
      'no-version',
      `Project ${project} has no dataset version yet. Upload labelled images first.`,
    );
  }
  const found = /^\d{1,9}$/.test(wanted)
    ? (await ports.documents.query('versions', { pk: project, equals: { number: Number(wanted) }, limit: 1 })).items[0]
    : await ports.documents.read('versions', project, wanted);
  if (found === undefined) throw new TerminalError('unknown-version', `Project ${project} has no version ${wanted}.`);
  return found.document;
}

/** Creates the run's document unless it is there. */
export async function ensureRun(
  ports: Pick<Ports, 'clock' | 'documents'>,
  project: string,
  run: string,
  spec: RunSpec,
  cause: Cause,
): Promise<void> {
  const at = ports.clock.now().toISOString();
  const document: RunDocument = {
    id: run,
    pk: project,
    ...newRun(spec, at, { correlation: cause.correlationid ?? cause.id, traceparent: cause.traceparent ?? null }),
  };
  await ports.documents.create('runs', document);
}

async function coalesce(ports: RequestPorts, project: string, run: string, into: string): Promise<void> {
  const at = ports.clock.now().toISOString();
  await update(ports.documents, 'runs', project, run, (current) =>
    current === undefined || !isOpen(current.state) || current.state !== 'queued'
      ? 'keep'
      : {
          ...current,
          state: 'cancelled',
          endedAt: at,
          failure: { code: 'coalesced', detail: `Run ${into} trains on a newer version instead.`, retryable: false },
        },
  );
}

function tooFewNewSamples(
  scheduler: SchedulerDocument,
  project: ProjectDocument,
  version: VersionSummary,
  run: string,
): Verdict | undefined {
  if (scheduler.active?.run === run || scheduler.settled.some((s) => s.run === run)) return undefined;
  const fresh = version.samples - scheduler.lastSamples;
  const { minNewSamples } = project.settings.retrain;
  if (fresh >= minNewSamples) return undefined;
  return {
    verdict: 'refused',
    code: 'too-few-new-samples',
    detail: `Version ${version.number} has ${fresh} samples more than the one trained on last; retrain.minNewSamples asks for ${minNewSamples}.`,
    retryAfterSeconds: 0,
  };
}

function runId(ports: RequestPorts, project: string, spec: RunSpec, input: TrainingInput): string {
  if (input.kind === 'manual') return `t${digestOf(23, project, 'requested', input.id ?? ports.ids.next())}`;
  const configuration = JSON.stringify([spec.trainer, spec.seed, spec.classes, spec.image]);
  return `t${digestOf(23, project, spec.version.id, configuration)}`;
}

async function specify(
  ports: RequestPorts,
  project: ProjectDocument,
  version: VersionSummary,
  input: TrainingInput,
): Promise<RunSpec> {
  const { settings } = project;
  const classes = settings.classes.length > 0 ? settings.classes : Object.keys(version.byClass).sort();
  if (classes.length < 2) {
    throw new TerminalError(
      'too-few-classes',
      `Version ${version.number} has ${classes.length} class; a classifier needs two.`,
    );
  }
  return {
    version: { id: version.version, number: version.number },
    trainer: {
      name: input.trainer?.name ?? settings.trainer.name,
      parameters: { ...settings.trainer.parameters, ...input.trainer?.parameters },
      timeoutSeconds: settings.trainer.timeoutSeconds,
    },
    seed: input.seed ?? 1,
    classes,
    image: settings.image ?? (await chooseImage(ports, project.id)),
    requestedBy: input.by,
    reason: input.reason ?? (input.kind === 'policy' ? `version ${version.number} was committed` : 'requested'),
  };
}

/** The size that fits the first version's samples, so that later versions do not change it. */
async function chooseImage(ports: RequestPorts, project: string): Promise<RunSpec['image']> {
  const first = await findVersion(ports, project, '1').catch(() => findVersion(ports, project, 'head'));
  const samples: { width: number; height: number; channels: number }[] = [];
  for await (const { record } of entries(treeStore(ports.blobs, project), first.root, { limit: imageSpecSamples })) {
    samples.push(record);
  }
  return chooseImageSpec(samples);
}
