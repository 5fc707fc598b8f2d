/** Asking for a training: by policy when a version is committed, or by an operator. */
import pMap from 'p-map';
import type * as z from 'zod';
import { entries } from '../dataset/entries.ts';
import { treeStore } from '../dataset/store.ts';
import type { ProjectDocument } from '../project/document.ts';
import type { RunDocument, SchedulerDocument } from './document.ts';
import type { VersionSummary } from '../dataset/document.ts';
import { TerminalError } from '../errors.ts';
import { chooseImageSpec } from '../image/size.ts';
import { type Cause, compose, type runQueued } from '../delivery/message.ts';
import { digestOf } from '../digest.ts';
import { outboxOf, sendOutbox, update } from '../delivery/outbox.ts';
import type { Ports } from '../ports.ts';
import { newRun, type RunSpec } from './run.ts';
import { limitsFor, newScheduler, request, type Request, tooFewNewSamples, type Verdict } from './scheduler.ts';
import { classesOf, untrainable } from './untrainable.ts';
import { checkTrainer, unknownTrainers } from './trainers.ts';

type RequestPorts = Pick<Ports, 'clock' | 'ids' | 'documents' | 'blobs' | 'messages' | 'trainers'>;

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
): Promise<{ run: string; verdict: Verdict; note?: string }> {
  const trainer = trainerOf(project, input);
  const checked = checkTrainer(ports.trainers ?? unknownTrainers, trainer);
  if (!checked.ok) throw new TerminalError(checked.code, checked.detail);
  const version = await findVersion(ports, project.id, input.version);
  const spec = await specify(ports, project, version, input);
  const run = runId(ports, project.id, spec, input);
  const now = ports.clock.now();
  const asked: Request = { run, spec, samples: version.samples, at: now.toISOString() };
  const limits = limitsFor(project.settings.retrain, input.kind === 'policy' ? 'policy' : input.by);
  let verdict: Verdict | undefined;
  let begun: Request | null = null;
  let into: Request | null = null;
  const { stored, changed } = await update(ports.documents, 'schedulers', project.id, 'scheduler', (current) => {
    const scheduler: SchedulerDocument = { id: 'scheduler', pk: project.id, ...newScheduler, ...current };
    const tooFew = input.kind === 'policy' ? refusedByPolicy(scheduler, project, version, run) : undefined;
    const decided = tooFew === undefined ? request(scheduler, asked, limits, now) : { scheduler, verdict: tooFew };
    verdict = decided.verdict;
    const { active, waiting } = decided.scheduler;
    into = decided.verdict.verdict === 'coalesced' ? named(decided.verdict.into, active, waiting) : null;
    begun = active !== null && active.run !== scheduler.active?.run ? active : null;
    if (decided.scheduler === scheduler) return 'keep';
    const outbox = begun === null ? [] : [queued(project.id, begun.run, cause)];
    return { ...scheduler, ...decided.scheduler, outbox: [...outboxOf(scheduler), ...outbox] };
  });
  if (verdict === undefined) throw new Error('the scheduler gave no verdict');
  if (verdict.verdict === 'start' || verdict.verdict === 'wait') await ensureRun(ports, project.id, asked, cause);
  if (begun !== null) await ensureRun(ports, project.id, begun, cause);
  // whoever asked for that run may have died before its document was made, and the answer names it
  if (into !== null) await ensureRun(ports, project.id, into, cause);
  await endCoalesced(ports, project.id, verdict.verdict === 'coalesced' ? [run, verdict.into] : [run]);
  // a storm of requests that are coalesced must not send the message of the one that starts a thousand times
  const isOwn = changed || verdict.verdict === 'start' || verdict.verdict === 'wait';
  if (stored !== undefined && isOwn) await sendOutbox(ports, 'schedulers', stored);
  return { run, verdict, ...(checked.note === undefined ? {} : { note: checked.note }) };
}

const named = (run: string, ...requests: (Request | null)[]): Request | null =>
  requests.find((one) => one?.run === run) ?? null;

/** The message that a run may be started; again, once the backoff `after` an attempt is over. */
export function queued(
  project: string,
  run: string,
  cause: Cause,
  after = 0,
): { to: 'queue'; queue: 'training-requests'; message: z.infer<typeof runQueued> } {
  const message = compose<z.infer<typeof runQueued>>(
    'darkroom.run.queued',
    `${project}/${run}`,
    after === 0 ? { project, run } : { project, run, after },
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
  const number = /^\d{1,9}$/.test(wanted) ? Number(wanted) : undefined;
  const lookUp = async (): Promise<VersionSummary | undefined> =>
    number === undefined
      ? (await ports.documents.read('versions', project, wanted))?.document
      : (await ports.documents.query('versions', { pk: project, equals: { number }, limit: 1 })).items[0]?.document;
  const found = await lookUp();
  if (found !== undefined) return found;
  // a version is the head before it has a document of its own, and keeps being looked for while that is written
  const head = (await ports.documents.read('heads', project, 'head'))?.document.head;
  if (head && (head.version === wanted || head.number === number)) return head;
  const since = await lookUp();
  if (since !== undefined) return since;
  throw new TerminalError(
    'unknown-version',
    `Project ${project} has no version ${wanted}. GET /api/v1/projects/${project}/versions lists them.`,
  );
}

/** Creates the run's document unless it is there. */
export async function ensureRun(
  ports: Pick<Ports, 'clock' | 'documents'>,
  project: string,
  { run, spec }: Pick<Request, 'run' | 'spec'>,
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

/**
 * Ends the documents of runs that gave way to one of these, and of those of them that gave way to another. The scheduler
 * is read after their documents were made: of two requests at once the later one sees both.
 */
async function endCoalesced(ports: RequestPorts, project: string, runs: string[]): Promise<void> {
  const scheduler = (await ports.documents.read('schedulers', project, 'scheduler'))?.document;
  const isOne = (run: string | null): boolean => run !== null && runs.includes(run);
  const coalesced = scheduler?.settled.filter(({ verdict }) => verdict === 'coalesced') ?? [];
  const ended = coalesced.filter((s) => isOne(s.run) || isOne(s.into));
  await pMap(ended, ({ run: given, into }) => endAsCoalesced(ports, project, given, into ?? ''), { concurrency: 8 });
}

/** Ends a run that was never started because another one does its work. */
export async function endAsCoalesced(
  ports: Pick<Ports, 'clock' | 'documents'>,
  project: string,
  run: string,
  into: string,
): Promise<void> {
  const at = ports.clock.now().toISOString();
  const detail = `Run ${into} trains on a newer version instead.`;
  const failure = { code: 'coalesced', detail, retryable: false };
  await update(ports.documents, 'runs', project, run, (current) =>
    current === undefined || current.state !== 'queued'
      ? 'keep'
      : { ...current, state: 'cancelled', endedAt: at, failure },
  );
}

function refusedByPolicy(
  scheduler: SchedulerDocument,
  { settings }: ProjectDocument,
  version: VersionSummary,
  run: string,
): Verdict | undefined {
  const { active, waiting, settled } = scheduler;
  if (active?.run === run || waiting?.run === run || settled.some((s) => s.run === run)) return undefined;
  const tooFew = tooFewNewSamples(scheduler, version, settings.retrain.minNewSamples);
  return tooFew === undefined ? undefined : { verdict: 'refused', ...tooFew, retryAfterSeconds: 0 };
}

function runId(ports: RequestPorts, project: string, spec: RunSpec, input: TrainingInput): string {
  if (input.kind === 'manual') return `t${digestOf(23, project, 'requested', input.id ?? ports.ids.next())}`;
  const configuration = JSON.stringify([spec.trainer, spec.seed, spec.classes, spec.image]);
  return `t${digestOf(23, project, spec.version.id, configuration)}`;
}

/** The trainer that is asked for; parameters of the project are those of the project's own trainer. */
function trainerOf({ settings }: ProjectDocument, { trainer }: TrainingInput) {
  const name = trainer?.name ?? settings.trainer.name;
  const usual = name === settings.trainer.name ? settings.trainer.parameters : {};
  return { name, parameters: { ...usual, ...trainer?.parameters } };
}

async function specify(
  ports: RequestPorts,
  project: ProjectDocument,
  version: VersionSummary,
  input: TrainingInput,
): Promise<RunSpec> {
  const { settings } = project;
  const reason = untrainable(settings, version);
  if (reason !== undefined) throw new TerminalError(reason.code, reason.detail);
  return {
    version: { id: version.version, number: version.number },
    trainer: { ...trainerOf(project, input), timeoutSeconds: settings.trainer.timeoutSeconds },
    seed: input.seed ?? 1,
    classes: classesOf(settings, version),
    image: settings.image ?? (await chooseImage(ports, project.id)),
    requestedBy: input.by,
    reason: input.reason ?? (input.kind === 'policy' ? `version ${version.number} was committed` : 'requested'),
  };
}

/** The size that fits the first version's samples, so that later versions do not change it. */
async function chooseImage(ports: RequestPorts, project: string): Promise<RunSpec['image']> {
  const first = await findVersion(ports, project, '1');
  const samples: { width: number; height: number; channels: number }[] = [];
  for await (const { record } of entries(treeStore(ports.blobs, project), first.root, { limit: imageSpecSamples })) {
    samples.push(record);
  }
  return chooseImageSpec(samples);
}
