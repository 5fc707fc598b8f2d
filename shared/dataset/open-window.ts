/** Commit windows: what is staged during one becomes one version. */
import type * as z from 'zod';
import { compose } from '../delivery/compose.ts';
import type { Cause, commitDue } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports } from '../ports.ts';
import type { ProjectSettings } from '../project/settings.ts';
import type { WindowDocument } from './document.ts';

type CommitDue = z.infer<typeof commitDue>;

/** Id of the window of a generation: zero-padded, so that ids sort as numbers do. */
export const windowId = (generation: number): string => String(generation).padStart(10, '0');

/** Opens the window of a generation unless it is open; its message is sent before this returns. */
export async function openWindow(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  project: string,
  generation: number,
  settings: ProjectSettings,
  cause: Cause,
): Promise<void> {
  const id = windowId(generation);
  const open = await ports.documents.read('windows', project, id);
  // whoever opened it may have died before its message was sent: what is unsent is sent by those who come before the head
  // says that it is open. A later message that its sender left unsent is sent by its redelivery, or by the sweep
  if (open !== undefined) return sendOutbox(ports, 'windows', open);
  const now = ports.clock.now();
  const data = { project, generation, openedAt: now.toISOString(), now: false };
  const message = compose<CommitDue>('darkroom.commit.due', `${project}/${id}`, data, cause);
  const wait = Math.min(settings.commit.quietSeconds, settings.commit.maxWaitSeconds);
  const notBefore = new Date(now.getTime() + wait * 1000).toISOString();
  const window: WindowDocument = {
    id,
    pk: project,
    openedAt: now.toISOString(),
    nextMessage: message.id,
    closed: false,
    outbox: [{ to: 'queue', queue: 'dataset-commits', message, notBefore }],
  };
  const created = await ports.documents.create('windows', window);
  const stored = created === 'exists' ? await ports.documents.read('windows', project, id) : created;
  if (stored !== undefined) await sendOutbox(ports, 'windows', stored);
}
