/** Taking in a model that was trained elsewhere: from its evaluation on it goes the way of a trained one. */
import { createHash } from 'node:crypto';
import { findVersion } from '../dataset/find-version.ts';
import type { VersionSummary } from '../dataset/document.ts';
import type { Cause } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import { digestOf } from '../digest.ts';
import { TerminalError } from '../errors.ts';
import { feedEntry } from '../event/feed-entry.ts';
import type { ImageSpec } from '../image/size.ts';
import type { Ports } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import type { RunDocument } from '../training/document.ts';
import { attemptPrefix } from '../training/job.ts';
import { trained } from '../training/messages.ts';
import { newRun } from '../training/run.ts';
import { specify } from '../training/specify.ts';
import type { Origin } from './origin.ts';

/** What is said of a model that is brought. */
export interface BroughtModel extends Pick<Origin, 'by' | 'source' | 'notes' | 'metrics'> {
  /** a repeated id is the same request */
  id: string;
  /** id, number or `head` of the version that it is judged on */
  version: string | undefined;
  /** in the order of the model's outputs; undefined: in that of the project */
  classes: string[] | undefined;
  /** what it takes in; undefined: what models of the project do */
  image: ImageSpec | undefined;
}

export interface Received {
  run: RunDocument;
  /** sha-256 of the bytes */
  digest: string;
  sizeBytes: number;
}

/** what a run has for the name of its trainer, where nothing trained */
const trainer = 'uploaded';

/**
 * Stores a model while it comes, where a job would have left it, and begins a run at its evaluation. Safe to repeat with the
 * same id and bytes. Throws a TerminalError where there is no version to judge it on, or the classes are others.
 */
export async function uploadModel(
  ports: Pick<Ports, 'blobs' | 'clock' | 'documents' | 'messages'>,
  project: ProjectDocument,
  brought: BroughtModel,
  chunks: AsyncIterable<Uint8Array>,
  cause: Cause,
): Promise<Received> {
  const version = await findVersion(ports, project.id, brought.version);
  const { by, notes, image = project.settings.image } = brought;
  const asIfSet = { ...project, settings: { ...project.settings, image } };
  const spec = await specify(ports, asIfSet, version, { by, reason: notes ?? trainer, kind: 'manual' });
  const classes = brought.classes ?? spec.classes;
  assertSameClasses(classes, spec.classes, version);
  const id = `t${digestOf(23, project.id, trainer, brought.id)}`;
  // names where the model lies, as that of an attempt does
  const token = `u${digestOf(25, id)}`;
  const counted = { hash: createHash('sha256'), sizeBytes: 0 };
  await ports.blobs.createFrom(
    'jobs',
    `${attemptPrefix(project.id, id, token)}/model.onnx`,
    counting(chunks, counted),
    {
      contentType: 'application/octet-stream',
    },
  );
  const at = ports.clock.now().toISOString();
  const { source, metrics } = brought;
  const document: RunDocument = {
    id,
    pk: project.id,
    ...newRun({ ...spec, classes, trainer: { name: trainer, parameters: {}, timeoutSeconds: 0 }, seed: 0 }, at, {
      correlation: cause.correlationid ?? cause.id,
      traceparent: cause.traceparent ?? null,
    }),
    ...{ state: 'evaluating', attempt: 1, token, trainedAt: at },
    origin: { kind: 'uploaded', by, source, notes, metrics, at },
  };
  document.outbox = [trained({ project: project.id, run: id }, cause), received(document, counted.sizeBytes, cause)];
  const created = await ports.documents.create('runs', document);
  const stored = created === 'exists' ? await ports.documents.read('runs', project.id, id) : created;
  if (stored !== undefined) await sendOutbox(ports, 'runs', stored);
  const digest = counted.hash.digest('hex');
  return { run: stored?.document ?? document, digest, sizeBytes: counted.sizeBytes };
}

async function* counting(
  chunks: AsyncIterable<Uint8Array>,
  counted: { hash: ReturnType<typeof createHash>; sizeBytes: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    counted.hash.update(chunk);
    counted.sizeBytes += chunk.length;
    yield chunk;
  }
  if (counted.sizeBytes > 0) return;
  throw new TerminalError('empty-model', 'The body is empty. Send the bytes of one ONNX file.');
}

function assertSameClasses(given: string[], wanted: string[], { number }: VersionSummary): void {
  const known = new Set(wanted);
  const odd = given.find((name, i) => !known.has(name) || given.indexOf(name) !== i);
  const missing = wanted.find((name) => !given.includes(name));
  if (odd === undefined && missing === undefined) return;
  const what = odd === undefined ? `"${missing}" is missing` : `"${odd}" is none of them, or stands there twice`;
  const detail = `"classes" has to name the ${wanted.length} classes of version ${number} in the order of the model's outputs, and ${what}.`;
  throw new TerminalError('wrong-classes', detail, 'classes');
}

function received({ id, pk: project, version, origin }: RunDocument, sizeBytes: number, cause: Cause) {
  const megabytes = (sizeBytes / 1024 / 1024).toFixed(1);
  const from = origin?.source === null || origin === undefined ? '' : ` from ${origin.source}`;
  const text = `A model of ${megabytes} MB${from} was uploaded, and is judged on version ${version.number} as training ${id}.`;
  const said = {
    type: 'model.uploaded',
    subject: `trainings/${id}`,
    text,
    at: origin?.at ?? '',
    by: origin?.by ?? null,
  };
  return feedEntry(project, said, ['model.uploaded', id], cause);
}
