/** `evaluations` -> a batch goes on: part by part, each kept once, until its results are made. */
import type * as z from 'zod';
import type { batchDue } from '../delivery/message.ts';
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import { TerminalError } from '../errors.ts';
import { findModel } from '../model/find.ts';
import type { ModelDocument } from '../model/document.ts';
import type { Ports, Stored } from '../ports.ts';
import { taskOf } from '../task/task.ts';
import { maxPictures, tooManyPictures } from './begin.ts';
import type { BatchDocument } from './document.ts';
import { endBatch } from './end.ts';
import { due } from './messages.ts';
import { nextSlice } from './pictures.ts';
import { type BatchPart, composeResults, keepPart, readPart } from './results.ts';
import { scorePart, type ScorePartPorts } from './score-part.ts';

type BatchDue = z.infer<typeof batchDue>;
export type AdvancePorts = Pick<Ports, 'clock' | 'documents' | 'messages'> & ScorePartPorts;

/** One delivery works this long, then hands on to the next, so that evaluations have their turn: well below the function timeout. */
const timeBudgetMs = 2 * 60_000;

/** Goes on with a batch for a while. Safe to repeat, also at the same time: what is kept is not scored again. */
export async function advanceBatch(ports: AdvancePorts, message: BatchDue): Promise<{ outcome: string }> {
  const { project, batch: id } = message.data;
  const first = await ports.documents.read('batches', project, id);
  if (first === undefined) return { outcome: 'unknown-batch' };
  // whoever saved it last may have died before it sent what follows
  await sendOutbox(ports, 'batches', first);
  const until = ports.clock.now().getTime() + timeBudgetMs;
  try {
    const { document: model } = await findModel(ports, project, first.document.model.number);
    for (let parts = 0; ; parts++) {
      const stored = await ports.documents.read('batches', project, id);
      if (stored?.document.state !== 'scoring') return { outcome: stored?.document.state ?? 'unknown-batch' };
      // one at least, or a slow start would use up the time of every delivery
      if (parts > 0 && ports.clock.now().getTime() > until) return await handOn(ports, stored, message);
      if (await isOver(ports, stored, model)) break;
    }
    const { document: batch } = (await ports.documents.read('batches', project, id)) ?? first;
    await composeResults(ports.blobs, taskOf(batch), model.classes, batch);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    const failure = { code: error.code, detail: error.message };
    await endBatch(ports, project, id, { state: 'failed', failure }, message);
    return { outcome: error.code };
  }
  const { document } = await endBatch(ports, project, id, { state: 'succeeded' }, message);
  return { outcome: document.state };
}

/** Makes the next part, unless it is kept, and moves the batch behind it; whether that was the last one. */
async function isOver(
  ports: AdvancePorts,
  { document: batch, etag }: Stored<BatchDocument>,
  model: ModelDocument,
): Promise<boolean> {
  // of one that kept the last part and died
  if (batch.parts > 0 && batch.cursor === null) return true;
  const part = (await readPart(ports.blobs, batch, batch.parts)) ?? (await makePart(ports, batch, model));
  const scored = part.lines.filter(({ error }) => error === null).length;
  const moved: BatchDocument = {
    ...batch,
    ...{ parts: batch.parts + 1, cursor: part.next, movedAt: ports.clock.now().toISOString() },
    ...{ scored: batch.scored + scored, failed: batch.failed + part.lines.length - scored },
  };
  if (moved.scored + moved.failed > maxPictures) throw tooManyPictures();
  const saved = await ports.documents.replace('batches', moved, etag);
  // another delivery, or who cancels it, was first: it is read again
  return saved !== 'changed' && part.next === null;
}

async function makePart(ports: AdvancePorts, batch: BatchDocument, model: ModelDocument): Promise<BatchPart> {
  const { pictures, next } = await nextSlice(ports.blobs, batch);
  const lines = await scorePart(ports, model, pictures);
  return keepPart(ports.blobs, batch, batch.parts, { next, lines });
}

/** Has the rest done by the next delivery: one, though this one is repeated, since its id follows from the part that it begins with. */
async function handOn(
  ports: AdvancePorts,
  { document: batch, etag }: Stored<BatchDocument>,
  message: BatchDue,
): Promise<{ outcome: string }> {
  const next = due(batch.pk, batch.id, batch.parts, { ...message, id: batch.id });
  const movedAt = ports.clock.now().toISOString();
  const saved = await ports.documents.replace(
    'batches',
    { ...batch, movedAt, outbox: [...outboxOf(batch), next] },
    etag,
  );
  if (saved !== 'changed') await sendOutbox(ports, 'batches', saved);
  return { outcome: 'continued' };
}
