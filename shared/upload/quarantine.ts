/** What becomes of an upload that is refused. */
import { isAddressable } from '../names.ts';
import type { Ports } from '../ports.ts';
import type { UploadDocument } from './document.ts';
import type { Finding } from './finish.ts';
import { uploadId } from './name.ts';
import { type Original, readOriginal } from './read-original.ts';

/** Keeps a copy of what was refused, if it can be asked for at all; the original expires by a lifecycle rule. */
export async function quarantine(
  ports: Pick<Ports, 'blobs'>,
  written: Original,
  reason: NonNullable<UploadDocument['reason']>,
  read?: Buffer | 'unread',
): Promise<Finding> {
  const { blob, etag } = written;
  const none = { sample: null, annotation: null };
  const quarantined: Finding = { outcome: 'quarantined', reason, ...none };
  if (read === 'unread' || !isAddressable(blob)) return quarantined;
  const original = read === undefined ? await readOriginal(ports, written) : { body: read };
  if ('problem' in original && original.problem === 'gone') return { outcome: 'superseded', reason: null, ...none };
  if (Buffer.isBuffer(original.body))
    await ports.blobs.create('quarantine', uploadId(blob, etag), original.body, { metadata: { reason: reason.code } });
  return quarantined;
}
