/** Creating a project or replacing all of its settings. */
import type { Cause } from '../delivery/message.ts';
import { TerminalError } from '../errors.ts';
import { unassignedProject } from '../names.ts';
import type { Ports, Stored } from '../ports.ts';
import { changed, type Seen } from '../precondition.ts';
import { createProject } from './create.ts';
import type { ProjectDocument } from './document.ts';
import { findProject } from './find.ts';
import { replaceSettings } from './replace-settings.ts';
import type { ProjectSettings } from './settings.ts';

export interface ProjectPut {
  project: string;
  settings: ProjectSettings;
  by: string;
  seen: Seen;
}

/**
 * Makes a project be set to something; `created` where there was none. Safe to repeat. Throws a TerminalError for a name
 * that is reserved, and where the project is not as it was seen.
 */
export async function putProject(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  put: ProjectPut,
  cause: Cause,
): Promise<{ created: boolean; stored: Stored<ProjectDocument> }> {
  const { project: id, settings, by, seen } = put;
  assertNotReserved(id);
  const current = await ports.documents.read('projects', 'projects', id);
  if (current !== undefined) return { created: false, stored: await replaceSettings(ports, current, put, cause) };
  if (seen !== undefined) throw changed();
  const created = await createProject(ports, id, settings, by, cause);
  if (created !== 'exists') return { created: true, stored: created };
  // somebody was faster, perhaps this very request, sent twice
  return { created: false, stored: await replaceSettings(ports, await findProject(ports, id), put, cause) };
}

function assertNotReserved(name: string): void {
  if (name !== unassignedProject) return;
  const detail = `This cannot be a project's name: "${unassignedProject}" is where uploads without a project are. Choose another.`;
  throw new TerminalError('invalid-name', detail, 'project');
}
