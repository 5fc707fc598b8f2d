/** `dataset-commits` -> a new dataset version, after a quiet period or at the latest when the window is over. */
import type * as z from 'zod';
import { advanceGeneration, commit } from '../shared/dataset/commit.ts';
import { openWindow, readHead, windowId } from '../shared/dataset/stage.ts';
import type { HeadDocument } from '../shared/documents.ts';
import { type commitDue, compose } from '../shared/message.ts';
import { outboxOf, sendOutbox, update } from '../shared/outbox.ts';
import type { Ports } from '../shared/ports.ts';
import type { ProjectSettings } from '../shared/project.ts';

type CommitDue = z.infer<typeof commitDue>;

/** A commit that takes longer than this is tried again beside it; the compare-and-swap of the head decides. */
const commitSeconds = 60;
/** A look this much before its time is the one that was planned: clocks of broker and function differ. */
const earlyMs = 500;

/**
 * Handles one wake-up of a commit window. Its message may come many times and at once: each look takes its turn by
 * moving `nextLookAt` of the window, and plans the next look in the same write, so a look that dies is repeated.
 */
export async function commitStaged(ports: Ports, message: CommitDue): Promise<{ outcome: string; version?: string }> {
  const { project: name, generation, now } = message.data;
  const project = await ports.documents.read('projects', 'projects', name);
  if (project === undefined) return { outcome: 'unknown-project' };
  const { settings } = project.document;
  const { document: head } = await readHead(ports.documents, name);
  const newest = await newestStaged(ports, name);
  if (newest === undefined && !head.unfinished) return { outcome: 'nothing-staged' };
  const busy = !now && newest !== undefined && (await stillBusy(ports, message, settings, head, newest));
  const turn = await takeTurn(ports, message, busy ? settings.commit.quietSeconds : commitSeconds);
  if (busy) return { outcome: 'waiting' };
  if (!turn && !now) return { outcome: 'not-its-turn' };
  await advanceGeneration(ports, name, generation);
  const { version, more } = await commit(ports, project.document, message);
  if (more) {
    const after = await readHead(ports.documents, name);
    await openWindow(ports, name, after.document.generation, settings, message);
  }
  return version === null ? { outcome: 'nothing-new' } : { outcome: 'committed', version: version.version };
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

/** Samples are still coming in, the window is young and not full: better one large version than many small ones. */
async function stillBusy(
  ports: Ports,
  message: CommitDue,
  settings: ProjectSettings,
  head: HeadDocument,
  newest: string,
): Promise<boolean> {
  if (head.generation > message.data.generation) return false;
  const now = ports.clock.now().getTime();
  const { maxWaitSeconds, quietSeconds, maxItems } = settings.commit;
  if (now - Date.parse(message.data.openedAt) >= maxWaitSeconds * 1000) return false;
  if (now - Date.parse(newest) >= quietSeconds * 1000) return false;
  return (await ports.documents.count('staged', { pk: message.data.project })) < maxItems;
}

/** Moves the window's next look `seconds` ahead and plans it; false when another delivery has done so. */
async function takeTurn(ports: Ports, message: CommitDue, seconds: number): Promise<boolean> {
  const { data, subject } = message;
  const now = ports.clock.now();
  const next = compose<CommitDue>('darkroom.commit.due', subject, { ...data, now: false }, message, 'next');
  const notBefore = new Date(now.getTime() + seconds * 1000).toISOString();
  const { stored, changed } = await update(
    ports.documents,
    'windows',
    data.project,
    windowId(data.generation),
    (window) => {
      if (window === undefined || Date.parse(window.nextLookAt) > now.getTime() + earlyMs) return 'keep';
      const look = { to: 'queue' as const, queue: 'dataset-commits' as const, message: next, notBefore };
      return { ...window, nextLookAt: notBefore, outbox: [...outboxOf(window), look] };
    },
  );
  if (stored !== undefined) await sendOutbox(ports, 'windows', stored);
  return changed;
}
