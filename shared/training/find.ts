/** Finding a training by its id. */
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { RunDocument } from './document.ts';

/** The error for a training that is none. */
export const unknownTraining = (project: string, id: string): TerminalError => {
  const detail = `There is no training ${id} in project ${project}. GET /api/v1/projects/${project}/trainings lists them.`;
  return new TerminalError('unknown-training', detail, 'training');
};

/** Reads a run of a project; throws a TerminalError where there is none. */
export async function findTraining(
  { documents }: Pick<Ports, 'documents'>,
  project: string,
  id: string,
): Promise<Stored<RunDocument>> {
  const found = await documents.read('runs', project, id);
  if (found === undefined) throw unknownTraining(project, id);
  return found;
}
