/** `dataset-commits` -> a new dataset version, after a quiet period or at the latest when the window is over. */
import type * as z from 'zod';
import { advanceGeneration, commit } from '../shared/dataset/commit.ts';
import { openWindow, readHead, windowId } from '../shared/dataset/stage.ts';
import { type commitDue, compose } from '../shared/message.ts';
import { sendOutbox, update } from '../shared/outbox.ts';
import type { Ports } from '../shared/ports.ts';
import type { ProjectSettings } from '../shared/project.ts';

type CommitDue = z.infer<typeof commitDue>;

/** Handles one wake-up of a commit window. */
export async function commitStaged(ports: Ports, message: CommitDue): Promise<{ outcome: string; version?: string }> {
  const { project: name, generation } = message.data;
  const project = await ports.documents.read('projects', 'projects', name);
  if (project === undefined) return { outcome: 'unknown-project' };
  const { settings } = project.document;
  if (!message.data.now && (await stillBusy(ports, message, settings))) {
    await lookAgain(ports, message, settings);
    return { outcome: 'waiting' };
  }
  await advanceGeneration(ports, name, generation);
  const { version, more } = await commit(ports, project.document, message);
  if (more) {
    const { document: head } = await readHead(ports.documents, name);
    await openWindow(ports, name, head.generation, settings, message);
  }
  return version === null ? { outcome: 'nothing-staged' } : { outcome: 'committed', version: version.version };
}

/** Samples are still coming in, the window is young and not full: better one large version than many small ones. */
async function stillBusy(ports: Ports, message: CommitDue, settings: ProjectSettings): Promise<boolean> {
  const { document: head } = await readHead(ports.documents, message.data.project);
  if (head.generation > message.data.generation) return false;
  const now = ports.clock.now().getTime();
  const { maxWaitSeconds, quietSeconds, maxItems } = settings.commit;
  if (now - Date.parse(message.data.openedAt) >= maxWaitSeconds * 1000) return false;
  const newest = await ports.documents.query('staged', {
    pk: message.data.project,
    orderBy: { field: 'stagedAt', descending: true },
    limit: 1,
  });
  const stagedAt = newest.items[0]?.document.stagedAt;
  if (stagedAt === undefined || now - Date.parse(stagedAt) >= quietSeconds * 1000) return false;
  return (await ports.documents.count('staged', { pk: message.data.project })) < maxItems;
}

/** Schedules the next look, unless another delivery of the message has done so. */
async function lookAgain(ports: Ports, message: CommitDue, settings: ProjectSettings): Promise<void> {
  const { data, subject } = message;
  const now = ports.clock.now();
  const next = compose<CommitDue>('darkroom.commit.due', subject, data, message, 'again');
  const notBefore = new Date(now.getTime() + settings.commit.quietSeconds * 1000).toISOString();
  const { stored } = await update(ports.documents, 'windows', data.project, windowId(data.generation), (window) =>
    window === undefined || Date.parse(window.nextLookAt) > now.getTime() + 500
      ? 'keep'
      : {
          ...window,
          nextLookAt: notBefore,
          outbox: [{ to: 'queue', queue: 'dataset-commits', message: next, notBefore }],
        },
  );
  if (stored !== undefined) await sendOutbox(ports, 'windows', stored);
}
