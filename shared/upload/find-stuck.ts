/** Finding uploads that have no outcome. */
import { whyWaiting } from '../delivery/why-waiting.ts';
import type { Ports } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import { isLongAgo, maxStuck, type Stuck } from '../project/stuck.ts';

const uploadSeconds = 600;

/** Uploads that were received long ago, oldest first. */
export async function findStuckUploads(
  ports: Pick<Ports, 'clock' | 'documents'>,
  { id: project }: ProjectDocument,
): Promise<Stuck[]> {
  const received = await ports.documents.query('uploads', {
    equals: { project, status: 'received' },
    orderBy: { field: 'receivedAt', descending: false },
    limit: maxStuck,
  });
  return received.items
    .filter(({ document }) => isLongAgo(ports, document.receivedAt, uploadSeconds))
    .map(({ document: { id, blob, receivedAt, waits } }) => {
      const waiting = whyWaiting(waits, ports.clock.now());
      const lost = 'Its message is waiting in the queue, or among its dead letters.';
      return {
        kind: 'upload',
        id,
        since: receivedAt,
        detail: `${blob} was received and has no outcome. ${waiting ?? lost}`,
        remedy: waiting === null ? 'POST /api/v1/dead-letters/blob-created/replay' : 'GET /api/v1/health/ready',
      };
    });
}
