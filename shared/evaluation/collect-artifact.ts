/** What a training job leaves behind: its model, and answers to some validation samples. */
import { createHash } from 'node:crypto';
import { TerminalError } from '../errors.ts';
import { maxModelBytes, modelBlob } from '../model/artifact.ts';
import type { ModelEnds } from '../onnx/ends.ts';
import type { Ports } from '../ports.ts';
import type { KeptAnswer } from '../task/models.ts';
import type { TaskKind } from '../task/task.ts';
import type { RunDocument } from '../training/document.ts';
import { attemptPrefix } from '../training/job.ts';
import { readKeptAnswers } from './kept-answers.ts';

export interface ValidatePorts {
  validate: (
    bytes: Buffer,
    ends: ModelEnds,
  ) => Promise<{ ok: true; metadata: Record<string, string> } | { ok: false; reason: string; detail: string }>;
}

export interface Artifact {
  bytes: Buffer;
  /** sha-256 of the bytes */
  digest: string;
  /** what it says of itself, as its kind reads it */
  metadata: object;
  smoke: KeptAnswer[];
}

/**
 * Reads and checks what the job of a run left behind, and keeps the model under its digest. Throws a TerminalError that says
 * what is wrong with it. Safe to repeat.
 */
export async function collectArtifact(
  ports: Pick<Ports, 'blobs'> & ValidatePorts,
  kind: TaskKind,
  run: RunDocument,
): Promise<Artifact> {
  const prefix = attemptPrefix(run.pk, run.id, run.token ?? '');
  const onnx = await ports.blobs.get('jobs', `${prefix}/model.onnx`, { maxBytes: maxModelBytes });
  if (onnx === undefined)
    throw new TerminalError(
      'no-model',
      'The job reported success but left no model.onnx. The trainer has to write it to its address in the job document before it reports success.',
    );
  if (onnx === 'too-large')
    throw new TerminalError('model-too-large', `model.onnx has more than ${maxModelBytes / 1024 / 1024} MB.`);
  const valid = await ports.validate(onnx.body, kind.ends(run.classes, run.image));
  if (!valid.ok) throw new TerminalError('bad-model', `model.onnx was refused (${valid.reason}): ${valid.detail}`);
  const metadata = readMetadata(kind, valid.metadata);
  const smoke = await readKeptAnswers(ports.blobs, `${prefix}/smoke.json`, kind, run.classes);
  if ('problem' in smoke) throw new TerminalError(smoke.problem, smoke.detail);
  const digest = createHash('sha256').update(onnx.body).digest('hex');
  await ports.blobs.create('models', modelBlob(run.pk, digest), onnx.body, { contentType: 'application/octet-stream' });
  return { bytes: onnx.body, digest, metadata, smoke };
}

/** What a model's `metadata_props` say; throws a TerminalError where an entry that its kind reads makes no sense. */
function readMetadata(kind: TaskKind, entries: Record<string, string>): object {
  const read = kind.metadata.safeParse(entries);
  if (read.success) return read.data;
  const [{ path, message } = { path: [], message: 'cannot be read' }] = read.error.issues;
  const said = JSON.stringify(entries[path.join('.')]?.slice(0, 100));
  throw new TerminalError(
    'bad-model',
    `model.onnx was refused (bad-metadata): "${path.join('.')}" in its metadata_props is ${said}, which ${message}. docs/models.md says what a model may say of itself.`,
  );
}
