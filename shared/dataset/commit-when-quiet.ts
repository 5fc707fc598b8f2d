/** `dataset-commits` -> a new dataset version, after a quiet period or at the latest when the window is over. */
import type * as z from 'zod';
import { commitWindow } from './commit.ts';
import { readHead, windowId } from './stage.ts';
import type { HeadDocument } from './document.ts';
import type { commitDue } from '../delivery/message.ts';
import { compose } from '../delivery/compose.ts';
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import { update } from '../update.ts';
import type { Ports } from '../ports.ts';
import type { ProjectSettings } from '../project/settings.ts';

type CommitDue = z.infer<typeof commitDue>;

/**
 * A commit that takes longer than this is tried again beside it, later ones after ever longer; the compare-and-swap of
 * the head decides. No delivery outlives the function timeout.
 */
const commitSeconds = { first: 60, longest: 600 };

/**
 * Handles one wake-up of a commit window. Its message may come many times and at once: the window names the message
 * whose turn it is, and the look that takes the turn plans the next one in the same write, so a look that dies is
 * repeated.
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
    if (window?.document.nextLook !== message.id) return { outcome: 'not-its-turn' };
    const { settings } = project.document;
    const { document: head } = await readHead(ports.documents, name);
    const newest = await newestStaged(ports, name);
    const waitMs = newest === undefined ? 0 : await stillBusyMs(ports, message, settings, head, newest);
    if (waitMs > 0) return { outcome: (await takeTurn(ports, message, waitMs)) ? 'waiting' : 'not-its-turn' };
    // with nothing to commit the window is closed at once: should that die, this message comes again
    const work = newest !== undefined || head.unfinished;
    if (work && !(await takeTurn(ports, message, nextTryMs(ports, message)))) return { outcome: 'not-its-turn' };
  }
  const { version } = await commitWindow(ports, project.document, generation, message);
  return version === null ? { outcome: 'nothing-new' } : { outcome: 'committed', version: version.version };
}

/** As long again as the window has been open, within limits. */
function nextTryMs(ports: Ports, { data }: CommitDue): number {
  const openMs = ports.clock.now().getTime() - Date.parse(data.openedAt);
  return Math.min(Math.max(openMs, commitSeconds.first * 1000), commitSeconds.longest * 1000);
}

/** When the newest sample was staged; undefined: none is. */
async function newestStaged(ports: Ports, project: string): Promise<string | undefined> {
  const found = await ports.documents.query('staged', {
    pk: project,
    orderBy: { field: 'stagedAt', descending: true },
    limit: 1,
  });
  return found.items[0]?.document.stagedAt;
}

/**
 * Milliseconds until the next look while the window is young, and samples are still coming in and it is not full, or the
 * window before it is still being committed: better one large version than many small ones, and commits that run at
 * once all do the work of which one counts. 0: it is time to commit.
 */
async function stillBusyMs(
  ports: Ports,
  message: CommitDue,
  settings: ProjectSettings,
  head: HeadDocument,
  newest: string,
): Promise<number> {
  if (head.generation > message.data.generation) return 0;
  const now = ports.clock.now().getTime();
  const { maxWaitSeconds, quietSeconds, maxItems } = settings.commit;
  const leftMs = maxWaitSeconds * 1000 - (now - Date.parse(message.data.openedAt));
  const quietMs = quietSeconds * 1000;
  if (leftMs <= 0) return 0;
  const { project, generation } = message.data;
  const isQuiet = now - Date.parse(newest) >= quietMs;
  if (isQuiet || (await ports.documents.count('staged', { pk: project })) >= maxItems) {
    if (!(await isOpenStill(ports, project, generation - 1))) return 0;
  }
  return Math.min(quietMs, leftMs);
}

async function isOpenStill(ports: Ports, project: string, generation: number): Promise<boolean> {
  if (generation < 0) return false;
  const window = await ports.documents.read('windows', project, windowId(generation));
  return window !== undefined && !window.document.closed;
}

/** Hands the window's turn to the next look and plans it; false when another delivery has done so. */
async function takeTurn(ports: Ports, message: CommitDue, waitMs: number): Promise<boolean> {
  const { data, subject } = message;
  const next = compose<CommitDue>('darkroom.commit.due', subject, { ...data, now: false }, message, 'next');
  const notBefore = new Date(ports.clock.now().getTime() + waitMs).toISOString();
  const id = windowId(data.generation);
  const { stored, changed } = await update(ports.documents, 'windows', data.project, id, (window) => {
    if (window === undefined || window.closed || window.nextLook !== message.id) return 'keep';
    const look = { to: 'queue' as const, queue: 'dataset-commits' as const, message: next, notBefore };
    return { ...window, nextLook: next.id, outbox: [...outboxOf(window), look] };
  });
  if (stored !== undefined) await sendOutbox(ports, 'windows', stored);
  return changed;
}
