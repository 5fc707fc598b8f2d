/** Starting a queued run on compute: claim, job document, start call, execution name. */
import pMap from 'p-map';
import { entries } from '../dataset/entries.ts';
import { storedName } from '../sample/content.ts';
import { treeStore } from '../dataset/store.ts';
import type { Outgoing } from '../delivery/document.ts';
import type { RunDocument } from './document.ts';
import { RetryLater, TerminalError } from '../errors.ts';
import {
  type Cause,
  compose,
  type runCheck,
  type runEnded,
  type runQueued,
  type runTrained,
} from '../delivery/message.ts';
import { outboxOf, sendOutbox, update } from '../delivery/outbox.ts';
import type { Ports, Stored } from '../ports.ts';
import type * as z from 'zod';
import type { JobDocument } from './job-contract.ts';
import { findVersion, queued } from './request.ts';
import { isOpen, type RunEvent, startFailed, type Told } from './run.ts';
import { transition } from './transition.ts';
import { entriesOf } from './tell.ts';
import { maxTrainingSamples } from './untrainable.ts';

export type TrainPorts = Pick<Ports, 'clock' | 'ids' | 'documents' | 'blobs' | 'messages' | 'compute' | 'trainers'>;

/** A started run is looked at this often until it ends. */
export const checkSeconds = 20;
/** A job that does not begin within this time never will: compute is stuck. */
export const startTimeoutSeconds = 900;
/**
 * A claim is saved and its start call made within this time (shared/azure/compute.ts has the limits): an execution that
 * is not known by then is looked for.
 */
const startCallSeconds = 90;
const heartbeatSeconds = 10;
const maxReports = 100_000;
/** signatures are made so many at a time, and their lines put away as bytes */
const linesAtOnce = 1000;

/** Blob prefix of one attempt: `{project}/{run}/{token}`. */
export const attemptPrefix = (project: string, run: string, token: string): string => `${project}/${run}/${token}`;

/**
 * Starts a run that is queued, or whose start call may have been lost. Only the project's active run is started:
 * the scheduler document is what keeps jobs from doubling. A run whose attempt failed waits for the message that comes
 * `after` that attempt's backoff: any other is older, or a copy.
 */
export async function startRun(
  ports: TrainPorts,
  { project, run, after = 0 }: z.infer<typeof runQueued>['data'],
  cause: Cause,
): Promise<string> {
  const scheduler = await ports.documents.read('schedulers', project, 'scheduler');
  if (scheduler?.document.active?.run !== run) return 'not-its-turn';
  const stored = await ports.documents.read('runs', project, run);
  if (stored === undefined) return 'unknown-run';
  const { state, execution, token, attempt } = stored.document;
  if (!isOpen(state)) {
    await sendOutbox(ports, 'runs', stored);
    // it was ended while it waited: whoever waits behind it must not wait for ever
    await ports.messages.send('training-requests', [ended(project, run, cause)]);
    return state;
  }
  if (state !== 'queued' && !(state === 'submitted' && execution === null)) return state;
  if (state === 'queued' && after !== attempt) return 'waits-for-its-retry';
  if (stored.document.cancelRequested) {
    await applyToRun(ports, project, run, cancelled(ports.clock.now(), null), cause);
    return 'cancelled';
  }
  if (state === 'submitted' && token !== null) {
    const lost = (await ports.compute.list()).find((e) => e.environment['DARKROOM_TOKEN'] === token);
    if (lost !== undefined) {
      await applyToRun(ports, project, run, { kind: 'execution-known', token, execution: lost.name }, cause);
      return 'found';
    }
    // whoever claimed it may be about to start it, and a second start call would cost a machine: the next check goes on
    const waitedMs = ports.clock.now().getTime() - Date.parse(stored.document.submittedAt ?? '');
    if (waitedMs < startCallSeconds * 1000) {
      await sendOutbox(ports, 'runs', stored);
      return 'starting';
    }
    const at = ports.clock.now().toISOString();
    await applyToRun(ports, project, run, { ...startLost, token, at }, cause);
    return 'start-lost';
  }
  return launch(ports, stored, cause);
}

/** Counts as an attempt: a start call that is lost each time would otherwise be made for ever. */
const startLost = {
  kind: 'attempt-failed' as const,
  code: startFailed,
  detail: `Nothing is known of the execution ${startCallSeconds} s after its start call was to be made; whoever made it died, or its answer was lost.`,
  retryable: true,
};

/** The event by which a run is cancelled; `by` is null when that is not known any more. */
export function cancelled(now: Date, by: string | null): Extract<RunEvent, { kind: 'cancel' }> {
  return {
    kind: 'cancel',
    detail: by === null ? 'Cancelled on request.' : `Cancelled by ${by}.`,
    by,
    at: now.toISOString(),
  };
}

/**
 * Prepares first and claims last, so that little time lies between a claim and its start call: a claim without an
 * execution is taken for a start call that was lost.
 */
async function launch(ports: TrainPorts, stored: Stored<RunDocument>, cause: Cause): Promise<string> {
  const { document: seen } = stored;
  const { pk: project, id: run } = seen;
  const token = ports.ids.next();
  const prepared = await prepareJob(ports, seen, seen.attempt + 1, token).catch((error: unknown) => ({ error }));
  // nothing was claimed and nothing started: the delivery is repeated, and costs the run no attempt
  if (typeof prepared !== 'string' && prepared.error instanceof RetryLater) throw prepared.error;
  const claimedAt = ports.clock.now().toISOString();
  const claimed = await applyToRun(ports, project, run, { kind: 'claim', token, seen, at: claimedAt }, cause);
  if (claimed?.token !== token) return 'claimed-elsewhere';
  let execution: string;
  try {
    if (typeof prepared !== 'string') throw prepared.error;
    const environment = { DARKROOM_JOB_URL: prepared, DARKROOM_RUN: run, DARKROOM_TOKEN: token };
    ({ execution } = await ports.compute.start(environment));
  } catch (error) {
    const failure = {
      ...notStarted(error),
      kind: 'attempt-failed' as const,
      token,
      at: ports.clock.now().toISOString(),
    };
    const pause = error instanceof RetryLater ? (error.afterSeconds ?? 0) : 0;
    const after = await applyToRun(ports, project, run, failure, cause, { pauseSeconds: pause });
    return after?.state === 'queued' && failure.putOff ? 'start-later' : failure.code;
  }
  const known = await applyToRun(ports, project, run, { kind: 'execution-known', token, execution }, cause);
  if (known !== undefined) return 'started';
  // cancelled, or claimed by another, while the start call was under way
  await ports.compute.stop(execution);
  return 'started-for-nobody';
}

/**
 * Why a start call failed: with a code of its own where compute refused it, so that it took no effect for certain. What
 * compute does not take for the time being, or does not answer, is its outage, and costs the run no attempt.
 */
function notStarted(error: unknown): { code: string; detail: string; retryable: boolean; putOff?: true } {
  const detail = `The training job could not be started: ${error instanceof Error ? error.message : String(error)}`;
  if (error instanceof TerminalError) return { code: error.code, detail, retryable: false };
  if (error instanceof RetryLater) return { code: error.code ?? startFailed, detail, retryable: true, putOff: true };
  return { code: startFailed, detail, retryable: true };
}

/** Writes manifest and job document of an attempt; returns the signed address of the job document. */
async function prepareJob(ports: TrainPorts, run: RunDocument, attempt: number, token: string): Promise<string> {
  const { blobs, clock } = ports;
  const prefix = attemptPrefix(run.pk, run.id, token);
  // the time limit counts from the first report on, which compute may delay
  const deadline = new Date(clock.now().getTime() + (startTimeoutSeconds + run.trainer.timeoutSeconds) * 1000);
  // signatures outlive the deadline, so that a job that ends late can still say so
  const expires = new Date(deadline.getTime() + 600_000);
  await blobs.create('jobs', `${prefix}/manifest.ndjson`, await manifest(ports, run, expires), {
    contentType: 'application/x-ndjson',
  });
  const output = (name: string): Promise<string> => blobs.sign('jobs', `${prefix}/${name}`, 'create', expires);
  const template = await blobs.sign('job-reports', `${prefix}/{sequence}.json`, 'create-any', expires);
  const document: JobDocument = {
    run: run.id,
    project: run.pk,
    token,
    attempt,
    manifestUrl: await blobs.sign('jobs', `${prefix}/manifest.ndjson`, 'read', expires),
    classes: run.classes,
    image: run.image,
    trainer: { name: run.trainer.name, parameters: run.trainer.parameters },
    seed: run.seed,
    datasetVersion: run.version.id,
    deadline: deadline.toISOString(),
    heartbeatSeconds,
    outputs: {
      'model.onnx': await output('model.onnx'),
      'metrics.json': await output('metrics.json'),
      'smoke.json': await output('smoke.json'),
    },
    reports: { urlTemplate: template, maximum: maxReports },
    cancelRequested: run.cancelRequested,
  };
  await blobs.overwrite('jobs', `${prefix}/job.json`, JSON.stringify(document), { contentType: 'application/json' });
  return blobs.sign('jobs', `${prefix}/job.json`, 'read', expires);
}

async function manifest(ports: TrainPorts, run: RunDocument, expires: Date): Promise<Buffer> {
  const version = await findVersion(ports, run.pk, run.version.id);
  const store = treeStore(ports.blobs, run.pk);
  const classes = new Set(run.classes);
  const unreadable = new Set(run.unreadable?.map(({ md5 }) => md5));
  const parts: Buffer[] = [];
  let samples: { md5: string; label: string; split: string }[] = [];
  const write = async (): Promise<void> => {
    const lines = await pMap(
      samples,
      async (sample) => {
        const url = await ports.blobs.sign('datasets', storedName(run.pk, sample.md5), 'read', expires);
        return `${JSON.stringify({ url, ...sample })}\n`;
      },
      { concurrency: 16 },
    );
    parts.push(Buffer.from(lines.join('')));
    samples = [];
  };
  for (const split of ['train', 'validation'] as const) {
    for await (const { record } of entries(store, version.root, { split, limit: maxTrainingSamples })) {
      if (classes.has(record.label) && !unreadable.has(record.md5))
        samples.push({ md5: record.md5, label: record.label, split });
      if (samples.length === linesAtOnce) await write();
    }
  }
  await write();
  return Buffer.concat(parts);
}

/** compute may ask for more patience than this, but then its trouble is ours to tell */
export const longestPauseSeconds = 900;
/** Backoff before the next attempt: 5 s, 20 s, 80 s, 320 s, then the longest; longer when compute asks for it. */
const backoffSeconds = (attempt: number, asked: number): number =>
  Math.min(Math.max(5 * 4 ** Math.max(attempt - 1, 0), asked), longestPauseSeconds);

/**
 * Applies one event to a run and sends what follows from it, and `also`; undefined when the event does not apply.
 * A next attempt begins no sooner than after `pauseSeconds`.
 * What an earlier call could not send any more is sent either way.
 */
export async function applyToRun(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  project: string,
  run: string,
  event: Told,
  cause: Cause,
  { also = [], pauseSeconds = 0 }: { also?: Outgoing[]; pauseSeconds?: number } = {},
): Promise<RunDocument | undefined> {
  const now = ports.clock.now();
  const { stored, changed } = await update(ports.documents, 'runs', project, run, (current) => {
    if (current === undefined) return 'keep';
    const next = transition(current, event);
    if ('rejected' in next) return 'keep';
    const document = { ...current, ...next };
    if (document.state === 'queued' && current.state !== 'queued')
      document.retryAt = later(now, backoffSeconds(document.attempt, pauseSeconds));
    const by = event.kind === 'cancel' ? event.by : null;
    const told = entriesOf(current, document, { at: now.toISOString(), by }, cause);
    return {
      ...document,
      outbox: [...outboxOf(current), ...followUps(current, document, cause, now), ...told, ...also],
    };
  });
  if (stored === undefined) return undefined;
  await sendOutbox(ports, 'runs', stored);
  return changed ? stored.document : undefined;
}

const later = (now: Date, seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();

function followUps(
  before: RunDocument,
  after: RunDocument,
  cause: Cause,
  now: Date,
): NonNullable<RunDocument['outbox']> {
  if (before.state === after.state && before.token === after.token) return [];
  const { id: run, pk: project } = after;
  const subject = `${project}/${run}`;
  const traced: Cause = {
    id: cause.id,
    correlationid: after.correlation,
    traceparent: cause.traceparent ?? after.traceparent ?? undefined,
  };
  if (!isOpen(after.state)) return [{ to: 'queue', queue: 'training-requests', message: ended(project, run, traced) }];
  switch (after.state) {
    case 'queued':
      return [{ ...queued(project, run, traced, after.attempt), ...(after.retryAt && { notBefore: after.retryAt }) }];
    case 'submitted': {
      const check = { project, run, token: after.token ?? '' };
      const message = compose<z.infer<typeof runCheck>>('darkroom.run.check', subject, check, traced, check.token);
      return [{ to: 'queue', queue: 'training-requests', message, notBefore: later(now, checkSeconds) }];
    }
    case 'evaluating': {
      const message = compose<z.infer<typeof runTrained>>('darkroom.run.trained', subject, { project, run }, traced);
      return [{ to: 'queue', queue: 'evaluations', message }];
    }
    default:
      return [];
  }
}

/** The message that a run ended. */
const ended = (project: string, run: string, cause: Cause): z.infer<typeof runEnded> =>
  compose<z.infer<typeof runEnded>>('darkroom.run.ended', `${project}/${run}`, { project, run }, cause);
