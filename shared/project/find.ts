/** Finding a project by its name. */
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ProjectDocument } from './document.ts';

/** Reads a project; throws a TerminalError where there is none. */
export async function findProject(
  { documents }: Pick<Ports, 'documents'>,
  name: string,
): Promise<Stored<ProjectDocument>> {
  const found = await documents.read('projects', 'projects', name);
  if (found !== undefined) return found;
  const detail = `There is no project "${name}". Create it with PUT /api/v1/projects/${name}.`;
  throw new TerminalError('unknown-project', detail, 'project');
}
