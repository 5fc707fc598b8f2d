/** Beginning to score many pictures with one model. */
import { findVersion } from '../dataset/find-version.ts';
import type { Cause } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import { digestOf } from '../digest.ts';
import { TerminalError } from '../errors.ts';
import type { ModelDocument } from '../model/document.ts';
import { findModel } from '../model/find.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import type { Split } from '../sample/document.ts';
import type { BatchDocument, BatchOf } from './document.ts';
import { due } from './messages.ts';

/** What somebody asks for: files whose names begin so, below the project's own folder, or a version. */
export interface AskedBatch {
  /** a repeated id is the same request */
  id: string;
  uploads?: { prefix: string } | undefined;
  version?: string | undefined;
  split?: Split | undefined;
  /** undefined: the one that is live */
  model?: number | undefined;
  by: string;
}

/** Pictures of one batch: its results are put together within one request to storage. */
export const maxPictures = 200_000;
/** Batches of a project that are at work at once: they share the threads that evaluate models. */
export const maxOpen = 5;

type BeginPorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

/** Begins a batch; safe to repeat with the same id. Throws a TerminalError where there is nothing to score, or nothing to score with. */
export async function beginBatch(
  ports: BeginPorts,
  project: ProjectDocument,
  asked: AskedBatch,
  cause: Cause,
): Promise<Stored<BatchDocument>> {
  const id = `b${digestOf(23, project.id, 'batch', asked.id)}`;
  const known = await ports.documents.read('batches', project.id, id);
  if (known !== undefined) {
    await sendOutbox(ports, 'batches', known);
    return known;
  }
  const open = await ports.documents.count('batches', { pk: project.id, equals: { state: 'scoring' } });
  if (open >= maxOpen) throw tooManyOpen();
  const model = await modelOf(ports, project.id, asked.model);
  const { of, total } = await picturesOf(ports, project.id, asked);
  const at = ports.clock.now().toISOString();
  const document: BatchDocument = {
    ...{ id, pk: project.id, state: 'scoring', of, total },
    ...{ model: { number: model.number, digest: model.digest }, task: model.task },
    ...{ scored: 0, failed: 0, parts: 0, cursor: null, failure: null },
    ...{ requestedBy: asked.by, createdAt: at, movedAt: at, endedAt: null },
    correlation: cause.correlationid ?? cause.id,
    outbox: [due(project.id, id, 0, cause)],
  };
  const created = await ports.documents.create('batches', document);
  const stored = created === 'exists' ? await ports.documents.read('batches', project.id, id) : created;
  if (stored === undefined) throw new TerminalError('unknown-batch', `Batch ${id} is gone.`);
  await sendOutbox(ports, 'batches', stored);
  return (await ports.documents.read('batches', project.id, id)) ?? stored;
}

async function modelOf(ports: BeginPorts, project: string, asked: number | undefined): Promise<ModelDocument> {
  const live = (await ports.documents.read('endpoints', project, 'endpoint'))?.document.production?.model;
  const number = asked ?? live;
  if (number !== undefined) return (await findModel(ports, project, number)).document;
  const detail =
    'No model is live yet. Wait for the first training, deploy a model version, or name one: {"model": 1}.';
  throw new TerminalError('no-live-model', detail);
}

async function picturesOf(
  ports: BeginPorts,
  project: string,
  { uploads, version: wanted, split }: AskedBatch,
): Promise<{ of: BatchOf; total: number | null }> {
  if (uploads !== undefined) return { of: { kind: 'uploads', prefix: uploads.prefix }, total: null };
  const version = await findVersion(ports, project, wanted);
  const total = split === undefined ? version.samples : version.bySplit[split];
  if (total > maxPictures) throw tooManyPictures();
  const named = { id: version.version, number: version.number };
  return { of: { kind: 'version', version: named, root: version.root, split: split ?? null }, total };
}

/** The error for more pictures than a batch may have. */
export function tooManyPictures(): TerminalError {
  const detail = `A batch has ${maxPictures} pictures at most. Score them in several: by split, or by longer prefixes.`;
  return new TerminalError('too-many-pictures', detail);
}

function tooManyOpen(): TerminalError {
  const detail = `${maxOpen} batches of this project are at work. Wait until one has ended, or cancel one.`;
  return new TerminalError('too-many-batches', detail);
}
