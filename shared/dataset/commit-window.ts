/** Closing a commit window. */
import type { Cause } from '../delivery/message.ts';
import type { ProjectDocument } from '../project/document.ts';
import { update } from '../update.ts';
import { commit, type CommitPorts, type CommitResult } from './commit.ts';
import { openWindow, windowId } from './open-window.ts';
import { readHead } from './read-head.ts';

/**
 * Commits what is staged and closes the window of `generation`. The generation is advanced before the staged samples
 * are listed, also when there seem to be none: whoever stages from then on opens the next window.
 */
export async function commitWindow(
  ports: CommitPorts,
  project: ProjectDocument,
  generation: number,
  cause: Cause,
): Promise<CommitResult> {
  const { documents } = ports;
  await readHead(documents, project.id);
  await update(documents, 'heads', project.id, 'head', (head) =>
    head === undefined || head.generation > generation ? 'keep' : { ...head, generation: generation + 1 },
  );
  const result = await commit(ports, project, cause);
  if (result.more) {
    const { document: head } = await readHead(documents, project.id);
    await openWindow(ports, project.id, head.generation, project.settings, cause);
  }
  // a look that was planned and not sent would only find it closed
  await update(documents, 'windows', project.id, windowId(generation), (window) =>
    window === undefined || window.closed ? 'keep' : { ...window, closed: true, outbox: [] },
  );
  return result;
}
