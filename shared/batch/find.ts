/** Finding a batch by its id. */
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { BatchDocument } from './document.ts';

/** Reads a batch of a project; throws a TerminalError where there is none. */
export async function findBatch(
  { documents }: Pick<Ports, 'documents'>,
  project: string,
  id: string,
): Promise<Stored<BatchDocument>> {
  const found = await documents.read('batches', project, id);
  if (found !== undefined) return found;
  const detail = `There is no batch ${id} in project ${project}. GET /api/v1/projects/${project}/batches lists them.`;
  throw new TerminalError('unknown-batch', detail, 'batch');
}
