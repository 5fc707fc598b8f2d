/** `dataset-commits` -> a new dataset version, after a quiet period or at the latest when the window is over. */
import type * as z from 'zod';
import type { commitDue } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports } from '../ports.ts';
import { commitWindow } from './commit-window.ts';
import { newestStaged, untilQuietMs } from './measure-quiet.ts';
import { windowId } from './open-window.ts';
import { readHead } from './read-head.ts';
import { scheduleNext } from './schedule-window.ts';

type CommitDue = z.infer<typeof commitDue>;

/**
 * A commit that takes longer than this is tried again beside it, later ones after ever longer; the compare-and-swap of
 * the head decides. No delivery outlives the function timeout.
 */
const commitSeconds = { first: 60, longest: 600 };

/**
 * Handles one wake-up of a commit window. Its message may come many times and at once: the window names the message
 * that counts, and whoever acts on it plans the next one in the same write, so a delivery that dies is repeated.
 */
export async function commitWhenQuiet(
  ports: Ports,
  message: CommitDue,
): Promise<{ outcome: string; version?: string }> {
  const { project: name, generation, now } = message.data;
  const project = await ports.documents.read('projects', 'projects', name);
  if (project === undefined) return { outcome: 'unknown-project' };
  if (!now) {
    const window = await ports.documents.read('windows', name, windowId(generation));
    if (window !== undefined) await sendOutbox(ports, 'windows', window);
    if (window?.document.closed) return { outcome: 'window-closed' };
    if (window?.document.nextMessage !== message.id) return { outcome: 'superseded-message' };
    const { settings } = project.document;
    const { document: head } = await readHead(ports.documents, name);
    const newest = await newestStaged(ports, name);
    const waitMs = newest === undefined ? 0 : await untilQuietMs(ports, message, settings, head, newest);
    if (waitMs > 0) return { outcome: (await scheduleNext(ports, message, waitMs)) ? 'waiting' : 'superseded-message' };
    // with nothing to commit the window is closed at once: should that die, this message comes again
    const work = newest !== undefined || head.unfinished;
    if (work && !(await scheduleNext(ports, message, nextTryMs(ports, message))))
      return { outcome: 'superseded-message' };
  }
  const { version } = await commitWindow(ports, project.document, generation, message);
  return version === null ? { outcome: 'nothing-new' } : { outcome: 'committed', version: version.version };
}

/** As long again as the window has been open, within limits. */
function nextTryMs(ports: Ports, { data }: CommitDue): number {
  const openMs = ports.clock.now().getTime() - Date.parse(data.openedAt);
  return Math.min(Math.max(openMs, commitSeconds.first * 1000), commitSeconds.longest * 1000);
}
