/** Creating the document of a run. */
import type { Cause } from '../delivery/message.ts';
import type { Ports } from '../ports.ts';
import type { RunDocument } from './document.ts';
import { newRun } from './run.ts';
import type { Request } from './scheduler.ts';

/** Creates the run's document unless it is there. */
export async function createRun(
  ports: Pick<Ports, 'clock' | 'documents'>,
  project: string,
  { run, spec }: Pick<Request, 'run' | 'spec'>,
  cause: Cause,
): Promise<void> {
  const at = ports.clock.now().toISOString();
  const document: RunDocument = {
    id: run,
    pk: project,
    ...newRun(spec, at, { correlation: cause.correlationid ?? cause.id, traceparent: cause.traceparent ?? null }),
  };
  await ports.documents.create('runs', document);
}
