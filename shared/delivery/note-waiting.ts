/** Noting with the upload or the run that waits why its message was put off, for people to see. */
import type { Waits } from './document.ts';
import type { Message } from './message.ts';
import { unassignedProject } from '../names.ts';
import { update } from '../update.ts';
import type { Ports } from '../ports.ts';
import type { QueueName } from '../resources.ts';
import { isOpen } from '../training/run.ts';
import { blobOf, readUploadName } from '../upload/name.ts';
import { recordUpload } from '../upload/record.ts';

type WaitingPorts = Pick<Ports, 'clock' | 'documents'>;

/** Notes that a message waits with the upload or the run that it is about; nobody looks for other messages. */
export async function noteWaiting(
  ports: WaitingPorts,
  queue: QueueName,
  message: Message,
  waits: Waits,
): Promise<void> {
  if (message.type === 'darkroom.run.queued' || message.type === 'darkroom.run.trained') {
    const { project, run } = message.data;
    await update(ports.documents, 'runs', project, run, (current) =>
      current === undefined || !isOpen(current.state) ? 'keep' : { ...current, waits },
    );
  } else if (message.type === 'Microsoft.Storage.BlobCreated' && queue === 'blob-created') {
    const { subject, data, traceparent } = message;
    const blob = blobOf(subject)?.name ?? '';
    const { project, problem } = readUploadName(blob);
    if (problem !== null || project === unassignedProject) return;
    if ((await ports.documents.read('projects', 'projects', project)) === undefined) return;
    const arrival = { project, blob, etag: data.eTag.replace(/^"|"$/g, ''), traceparent };
    const { document } = await recordUpload(ports, arrival, null);
    await update(ports.documents, 'uploads', document.pk, document.id, (current) =>
      current?.status !== 'received' ? 'keep' : { ...current, waits },
    );
  }
}
