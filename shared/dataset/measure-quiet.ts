/** Whether it is quiet enough to commit. */
import type * as z from 'zod';
import type { commitDue } from '../delivery/message.ts';
import type { Ports } from '../ports.ts';
import type { ProjectSettings } from '../project/settings.ts';
import type { HeadDocument } from './document.ts';
import { windowId } from './open-window.ts';

type QuietPorts = Pick<Ports, 'clock' | 'documents'>;

/** When the newest sample was staged; undefined: none is. */
export async function newestStaged({ documents }: QuietPorts, project: string): Promise<string | undefined> {
  const found = await documents.query('staged', {
    pk: project,
    orderBy: { field: 'stagedAt', descending: true },
    limit: 1,
  });
  return found.items[0]?.document.stagedAt;
}

/**
 * Milliseconds until the window is looked at again while the window is young, and samples are still coming in and it is not full, or the
 * window before it is still being committed: better one large version than many small ones, and commits that run at
 * once all do the work of which one counts. 0: it is time to commit.
 */
export async function untilQuietMs(
  ports: QuietPorts,
  { data }: z.infer<typeof commitDue>,
  settings: ProjectSettings,
  head: HeadDocument,
  newest: string,
): Promise<number> {
  if (head.generation > data.generation) return 0;
  const now = ports.clock.now().getTime();
  const { maxWaitSeconds, quietSeconds, maxItems } = settings.commit;
  const leftMs = maxWaitSeconds * 1000 - (now - Date.parse(data.openedAt));
  const quietMs = quietSeconds * 1000;
  if (leftMs <= 0) return 0;
  const { project, generation } = data;
  const isQuiet = now - Date.parse(newest) >= quietMs;
  if (isQuiet || (await ports.documents.count('staged', { pk: project })) >= maxItems) {
    if (!(await isOpenStill(ports, project, generation - 1))) return 0;
  }
  return Math.min(quietMs, leftMs);
}

async function isOpenStill(ports: QuietPorts, project: string, generation: number): Promise<boolean> {
  if (generation < 0) return false;
  const window = await ports.documents.read('windows', project, windowId(generation));
  return window !== undefined && !window.document.closed;
}
