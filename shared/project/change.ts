/** Making a project and changing what it is set to, each told in its feed by the same write. */
import type { ProjectDocument } from './document.ts';
import { feedEntry } from '../event/feed-entry.ts';
import type { Cause } from '../delivery/message.ts';
import { outboxOf, sendOutbox } from '../delivery/outbox.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ProjectSettings } from './settings.ts';

type ChangePorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

/** a list of classes may be long */
const maxValueLength = 120;

/** Creates a project; 'exists' when it is there. */
export async function createProject(
  ports: ChangePorts,
  id: string,
  settings: ProjectSettings,
  by: string,
  cause: Cause,
): Promise<Stored<ProjectDocument> | 'exists'> {
  const at = ports.clock.now().toISOString();
  const told = { type: 'project.created', subject: `projects/${id}`, text: `${by} made the project.`, at, by };
  const outbox = [feedEntry(id, told, ['project.created', at], cause)];
  const saved = await ports.documents.create('projects', {
    ...{ id, pk: 'projects', settings, createdAt: at, updatedAt: at, outbox },
  });
  return saved === 'exists' ? saved : tellProject(ports, saved);
}

/** Replaces the settings of a project that is still as it was `seen`; 'changed' when it is not. */
export async function changeSettings(
  ports: ChangePorts,
  seen: Stored<ProjectDocument>,
  settings: ProjectSettings,
  by: string,
  cause: Cause,
): Promise<Stored<ProjectDocument> | 'changed'> {
  const { document, etag } = seen;
  const at = ports.clock.now().toISOString();
  const text = `${by} changed ${settingsChanges(document.settings, settings).join(', ')}.`;
  const told = { type: 'project.changed', subject: `projects/${document.id}`, text, at, by };
  const outbox = [...outboxOf(document), feedEntry(document.id, told, ['project.changed', etag, at], cause)];
  const saved = await ports.documents.replace('projects', { ...document, settings, updatedAt: at, outbox }, etag);
  return saved === 'changed' ? saved : tellProject(ports, saved);
}

/** Sends what a project still has to tell; returns it as it is then, since an answer names its ETag. */
export async function tellProject(
  ports: Pick<Ports, 'documents' | 'messages'>,
  stored: Stored<ProjectDocument>,
): Promise<Stored<ProjectDocument>> {
  if (outboxOf(stored.document).length === 0) return stored;
  await sendOutbox(ports, 'projects', stored);
  return (await ports.documents.read('projects', 'projects', stored.document.id)) ?? stored;
}

/** Every setting that differs, with both values. */
export function settingsChanges(before: object, after: object): string[] {
  const [was, is] = [leavesOf(before), leavesOf(after)];
  const names = [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name));
  return names.map((name) => `${name} from ${was.get(name) ?? 'unset'} to ${is.get(name) ?? 'unset'}`);
}

/** Values by their path, as JSON. */
function leavesOf(value: unknown, path = ''): Map<string, string> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return new Map(
      Object.entries(value).flatMap(([key, one]) => [...leavesOf(one, path === '' ? key : `${path}.${key}`)]),
    );
  const text = JSON.stringify(value);
  if (path === '' || text === undefined) return new Map();
  return new Map([[path, text.length > maxValueLength ? `${text.slice(0, maxValueLength)}...` : text]]);
}
