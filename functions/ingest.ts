/** `blob-created`: a message is one finished upload, which gets its outcome. */
import { createBudget } from '../shared/budget.ts';
import { ingest, type IngestPorts } from '../shared/upload/ingest.ts';
import { consume, type QueueFunction } from './consume.ts';

/** Bytes of uploads that one process holds at a time, however many small ones that is; a larger one passes alone. */
const maxFileBytes = 24 * 1024 * 1024;

/** Ingests uploads. */
export function ingestFunction(ports: IngestPorts): QueueFunction {
  const fileBytes = createBudget(maxFileBytes);
  return consume(ports, 'blob-created', 'ingest', async (event) => {
    const release = await fileBytes.take(event.data.contentLength ?? maxFileBytes);
    return ingest(ports, event).finally(release);
  });
}
