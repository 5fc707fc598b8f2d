/** The project that a call is about. */
import { Problem } from '../../../shared/api/problem.ts';
import type { Ports, Stored } from '../../../shared/ports.ts';
import type { ProjectDocument } from '../../../shared/project/document.ts';

/** Reads the project of a call. */
export async function projectOf(
  ports: Pick<Ports, 'documents'>,
  call: { params: { project: string } },
): Promise<Stored<ProjectDocument>> {
  const name = call.params.project;
  const found = await ports.documents.read('projects', 'projects', name);
  if (found !== undefined) return found;
  throw new Problem(
    404,
    'unknown-project',
    `There is no project "${name}". Create it with PUT /api/v1/projects/${name}.`,
    { target: 'project' },
  );
}
