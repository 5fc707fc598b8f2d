/** Creating a project, told in its feed by the same write. */
import type { Cause } from '../delivery/message.ts';
import { feedEntry } from '../event/feed-entry.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ProjectDocument } from './document.ts';
import { sendProjectOutbox } from './send-outbox.ts';
import type { ProjectSettings } from './settings.ts';

/** Creates a project; 'exists' when it is there. */
export async function createProject(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  id: string,
  settings: ProjectSettings,
  by: string,
  cause: Cause,
): Promise<Stored<ProjectDocument> | 'exists'> {
  const at = ports.clock.now().toISOString();
  const said = { type: 'project.created', subject: `projects/${id}`, text: `${by} made the project.`, at, by };
  const outbox = [feedEntry(id, said, ['project.created', at], cause)];
  const saved = await ports.documents.create('projects', {
    ...{ id, pk: 'projects', settings, createdAt: at, updatedAt: at, outbox },
  });
  return saved === 'exists' ? saved : sendProjectOutbox(ports, saved);
}
