/** Starting a queued run on compute: claim, job document, start call, execution name. */
import { entries } from '../dataset/walk.ts';
import { storedName, treeStore } from '../dataset/store.ts';
import type { RunDocument } from '../documents.ts';
import { type Cause, compose, type runCheck, type runEnded, type runTrained } from '../message.ts';
import { outboxOf, sendOutbox, update } from '../outbox.ts';
import { inBatches } from '../parallel.ts';
import type { Ports, Stored } from '../ports.ts';
import type * as z from 'zod';
import type { JobDocument } from './job-contract.ts';
import { queued } from './request.ts';
import { isOpen, maxAttempts, type RunEvent, transition } from './run.ts';
import { findVersion } from './request.ts';

export type TrainPorts = Pick<Ports, 'clock' | 'ids' | 'documents' | 'blobs' | 'messages' | 'compute'>;

/** A started run is looked at this often until it ends. */
export const checkSeconds = 20;
const heartbeatSeconds = 10;
const maxReports = 100_000;
/** a manifest line is about 600 bytes, mostly signature */
const maxManifestSamples = 500_000;

/** Blob prefix of one attempt: `{project}/{run}/{token}`. */
export const attemptPrefix = (project: string, run: string, token: string): string => `${project}/${run}/${token}`;

/**
 * Starts a run that is queued, or whose start call may have been lost. Only the project's active run is started:
 * the scheduler document is what keeps jobs from doubling.
 */
export async function startRun(ports: TrainPorts, project: string, run: string, cause: Cause): Promise<string> {
  const scheduler = await ports.documents.read('schedulers', project, 'scheduler');
  if (scheduler?.document.active?.run !== run) return 'not-its-turn';
  const stored = await ports.documents.read('runs', project, run);
  if (stored === undefined) return 'unknown-run';
  const { state, execution, token } = stored.document;
  if (state !== 'queued' && !(state === 'submitted' && execution === null)) return state;
  if (stored.document.cancelRequested) {
    await applyToRun(ports, project, run, { kind: 'cancel', at: ports.clock.now().toISOString() }, cause);
    return 'cancelled';
  }
  if (state === 'submitted' && token !== null) {
    const lost = (await ports.compute.list()).find((e) => e.environment['DARKROOM_TOKEN'] === token);
    if (lost !== undefined) {
      await applyToRun(ports, project, run, { kind: 'execution-known', token, execution: lost.name }, cause);
      return 'found';
    }
  }
  return launch(ports, stored, cause);
}

async function launch(ports: TrainPorts, stored: Stored<RunDocument>, cause: Cause): Promise<string> {
  const { pk: project, id: run } = stored.document;
  const token = ports.ids.next();
  const claimed = await applyToRun(
    ports,
    project,
    run,
    { kind: 'claim', token, at: ports.clock.now().toISOString() },
    cause,
  );
  if (claimed?.token !== token) return 'claimed-elsewhere';
  try {
    const url = await prepareJob(ports, claimed, token);
    const { execution } = await ports.compute.start({
      DARKROOM_JOB_URL: url,
      DARKROOM_RUN: run,
      DARKROOM_TOKEN: token,
    });
    await applyToRun(ports, project, run, { kind: 'execution-known', token, execution }, cause);
    return 'started';
  } catch (error) {
    const detail = `The training job could not be started: ${error instanceof Error ? error.message : String(error)}`;
    const at = ports.clock.now().toISOString();
    await applyToRun(
      ports,
      project,
      run,
      { kind: 'attempt-failed', token, code: 'start-failed', detail, retryable: true, at },
      cause,
    );
    return 'start-failed';
  }
}

/** Writes manifest and job document of an attempt; returns the signed address of the job document. */
async function prepareJob(ports: TrainPorts, run: RunDocument, token: string): Promise<string> {
  const { blobs, clock } = ports;
  const prefix = attemptPrefix(run.pk, run.id, token);
  const deadline = new Date(clock.now().getTime() + run.trainer.timeoutSeconds * 1000);
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
    attempt: run.attempt,
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

async function manifest(ports: TrainPorts, run: RunDocument, expires: Date): Promise<string> {
  const version = await findVersion(ports, run.pk, run.version.id);
  const store = treeStore(ports.blobs, run.pk);
  const classes = new Set(run.classes);
  const samples: { md5: string; label: string; split: string }[] = [];
  for (const split of ['train', 'validation'] as const) {
    for await (const { record } of entries(store, version.root, { split, limit: maxManifestSamples })) {
      if (classes.has(record.label)) samples.push({ md5: record.md5, label: record.label, split });
    }
  }
  const lines = await inBatches(samples, 16, async (sample) => {
    const url = await ports.blobs.sign('datasets', storedName(run.pk, sample.md5), 'read', expires);
    return JSON.stringify({ url, ...sample });
  });
  return `${lines.join('\n')}\n`;
}

/** Backoff before the next attempt: 5 s, 20 s, 80 s. */
const backoffSeconds = (attempt: number): number => 5 * 4 ** Math.min(Math.max(attempt - 1, 0), maxAttempts);

/** Applies one event to a run and sends what follows from it; undefined when the event does not apply. */
export async function applyToRun(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  project: string,
  run: string,
  event: RunEvent,
  cause: Cause,
): Promise<RunDocument | undefined> {
  const now = ports.clock.now();
  const { stored, changed } = await update(ports.documents, 'runs', project, run, (current) => {
    if (current === undefined) return 'keep';
    const next = transition(current, event);
    if ('rejected' in next) return 'keep';
    const document = { ...current, ...next };
    return { ...document, outbox: [...outboxOf(current), ...followUps(current, document, cause, now)] };
  });
  if (stored === undefined) return undefined;
  await sendOutbox(ports, 'runs', stored);
  return changed ? stored.document : undefined;
}

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
  const later = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();
  if (!isOpen(after.state)) {
    const message = compose<z.infer<typeof runEnded>>('darkroom.run.ended', subject, { project, run }, traced);
    return [{ to: 'queue', queue: 'training-requests', message }];
  }
  switch (after.state) {
    case 'queued':
      return [{ ...queued(project, run, traced), notBefore: later(backoffSeconds(after.attempt)) }];
    case 'submitted': {
      const message = compose<z.infer<typeof runCheck>>(
        'darkroom.run.check',
        subject,
        { project, run },
        traced,
        after.token ?? '',
      );
      return [{ to: 'queue', queue: 'training-requests', message, notBefore: later(checkSeconds) }];
    }
    case 'evaluating': {
      const message = compose<z.infer<typeof runTrained>>('darkroom.run.trained', subject, { project, run }, traced);
      return [{ to: 'queue', queue: 'evaluations', message }];
    }
    default:
      return [];
  }
}
