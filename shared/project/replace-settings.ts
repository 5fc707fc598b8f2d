/** Replacing what a project is set to, on behalf of somebody. */
import { isDeepStrictEqual } from 'node:util';
import type { Cause } from '../delivery/message.ts';
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import { assertSeen, changed, type Seen } from '../precondition.ts';
import { changeSettings } from './change-settings.ts';
import type { ProjectDocument } from './document.ts';
import { sendProjectOutbox } from './send-outbox.ts';
import { type ProjectSettings, projectSettings } from './settings.ts';

/**
 * Replaces the settings of a project; throws a TerminalError where it is not as it was `seen`. Settings that it has
 * already change nothing and need not be seen: a request is repeated when its answer was lost, and whoever repeats it has
 * not seen an ETag.
 */
export async function replaceSettings(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  current: Stored<ProjectDocument>,
  { settings, by, seen }: { settings: ProjectSettings; by: string; seen: Seen },
  cause: Cause,
): Promise<Stored<ProjectDocument>> {
  // as they are read today: a setting that is newer than the document has its default
  const stored = projectSettings.safeParse(current.document.settings);
  const same = stored.success && isDeepStrictEqual(stored.data, settings);
  // changed so already, maybe by this very request, whose answer did not arrive: its etag is an older one
  if (same) return sendProjectOutbox(ports, current);
  assertSameTask(current.document, settings);
  assertSeen(seen, current.etag);
  const saved = await changeSettings(ports, current, settings, by, cause);
  if (saved === 'changed') throw changed();
  return saved;
}

/** Samples, models and versions are those of one kind of task. */
function assertSameTask({ id, settings: { task } }: ProjectDocument, asked: ProjectSettings): void {
  if (asked.task === task) return;
  const detail = `The task of project ${id} is ${task}, chosen when the project was made, and cannot become ${asked.task}. Make another project for that.`;
  throw new TerminalError('task-fixed', detail, 'task');
}
