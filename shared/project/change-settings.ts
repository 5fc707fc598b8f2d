/** Changing what a project is set to, told in its feed by the same write. */
import type { Cause } from '../delivery/message.ts';
import { outboxOf } from '../delivery/send-outbox.ts';
import { feedEntry } from '../event/feed-entry.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ProjectDocument } from './document.ts';
import { sendProjectOutbox } from './send-outbox.ts';
import type { ProjectSettings } from './settings.ts';

/** a list of classes may be long */
const maxValueLength = 120;

/** Replaces the settings of a project that is still as it was `seen`; 'changed' when it is not. */
export async function changeSettings(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  seen: Stored<ProjectDocument>,
  settings: ProjectSettings,
  by: string,
  cause: Cause,
): Promise<Stored<ProjectDocument> | 'changed'> {
  const { document, etag } = seen;
  const at = ports.clock.now().toISOString();
  const text = `${by} changed ${settingsChanges(document.settings, settings).join(', ')}.`;
  const said = { type: 'project.changed', subject: `projects/${document.id}`, text, at, by };
  const outbox = [...outboxOf(document), feedEntry(document.id, said, ['project.changed', etag, at], cause)];
  const saved = await ports.documents.replace('projects', { ...document, settings, updatedAt: at, outbox }, etag);
  return saved === 'changed' ? saved : sendProjectOutbox(ports, saved);
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
