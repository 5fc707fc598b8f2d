/** The end of an upload: exactly one outcome. */
import { update } from '../update.ts';
import { RetryLater } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import { announceUpload } from './announce.ts';
import type { UploadDocument, UploadOutcome } from './document.ts';

/** The reason of a sidecar whose picture has not come. */
export const waitsForPicture = 'waits-for-picture';

export interface Finding {
  outcome: UploadOutcome;
  reason: UploadDocument['reason'];
  sample: string | null;
  annotation: UploadDocument['annotation'];
}

/** Gives an upload its outcome, unless it has one; returns the outcome that it has then. */
export async function finishUpload(
  ports: Pick<Ports, 'clock' | 'documents'>,
  recorded: Stored<UploadDocument>,
  { outcome, reason, sample, annotation }: Finding,
): Promise<UploadOutcome> {
  const finishedAt = ports.clock.now().toISOString();
  const upload = recorded.document;
  const finish = (current: UploadDocument | undefined): UploadDocument | 'keep' => {
    if (current === undefined || current.status !== 'received') return 'keep';
    // the picture has come meanwhile
    if (reason?.code === waitsForPicture && current.sample !== null) return 'keep';
    // another delivery of the same event has read the bytes meanwhile
    if (outcome === 'superseded' && current.sample !== null) return 'keep';
    return { ...current, status: outcome, reason, sample, annotation, finishedAt };
  };
  await announceUpload(ports, upload, outcome, reason, finishedAt);
  const { stored } = await update(ports.documents, 'uploads', upload.pk, upload.id, finish, recorded);
  if (stored === undefined) throw new RetryLater(`upload ${upload.id} vanished while it was read`);
  const { status } = stored.document;
  if (status === 'received') throw new RetryLater(`upload ${upload.id} is being read by another delivery`);
  return status;
}
