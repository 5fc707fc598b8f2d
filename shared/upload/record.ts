/** The record of an upload, made when its event comes. */
import type { FileFindings, UploadDocument } from './document.ts';
import { RetryLater } from '../errors.ts';
import { update } from '../update.ts';
import type { Ports, Stored } from '../ports.ts';
import { readUploadName, uploadId, uploadPartition } from './name.ts';

type RecordPorts = Pick<Ports, 'clock' | 'documents'>;

/** One finished write to the uploads container, and the project that it belongs to. */
export interface Arrival {
  project: string;
  blob: string;
  etag: string;
  traceparent: string | undefined;
}

/** What a delivery has read and kept: the sample's bytes lie under their MD5. */
export type Kept = Pick<UploadDocument, 'sample' | 'annotation' | 'reason'> & FileFindings;

/**
 * Records an upload unless that was done before: the project of the first record stands. With `kept` it promises that
 * the sample's bytes lie in the store: whoever finds the original gone later, because its name was written again, goes
 * on with what was kept.
 */
export async function recordUpload(
  ports: RecordPorts,
  { project, blob, etag, traceparent }: Arrival,
  kept: Kept | null,
): Promise<Stored<UploadDocument>> {
  const id = uploadId(blob, etag);
  const document: UploadDocument = {
    id,
    pk: uploadPartition(readUploadName(blob).project, id),
    project,
    blob,
    etag,
    status: 'received',
    ...(kept ?? { sample: null, annotation: null, reason: null }),
    receivedAt: ports.clock.now().toISOString(),
    finishedAt: null,
    traceparent: traceparent ?? null,
  };
  const created = await ports.documents.create('uploads', document);
  if (created !== 'exists') return created;
  const { stored } = await update(ports.documents, 'uploads', document.pk, id, (current) =>
    current?.status !== 'received' || current.project !== project || current.sample !== null || kept === null
      ? 'keep'
      : { ...current, ...kept },
  );
  if (stored === undefined) throw new RetryLater(`upload ${id} vanished while it was read`);
  return stored;
}
