/** Finding a sample of a project by its id. */
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { SampleDocument } from './document.ts';
import { samplePartition } from './partition.ts';

/** Reads a sample; throws a TerminalError where there is none. */
export async function findSample(
  { documents }: Pick<Ports, 'documents'>,
  project: string,
  id: string,
): Promise<Stored<SampleDocument>> {
  const found = await documents.read('samples', samplePartition(project, id), id);
  if (found !== undefined) return found;
  const detail = `There is no sample ${id} in project ${project}. GET /api/v1/projects/${project}/samples lists them.`;
  throw new TerminalError('unknown-sample', detail, 'sample');
}
