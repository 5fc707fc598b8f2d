/** Committing without waiting for the window. */
import type * as z from 'zod';
import { compose } from '../delivery/compose.ts';
import type { Cause, commitDue } from '../delivery/message.ts';
import type { Ports } from '../ports.ts';
import { windowId } from './open-window.ts';
import { readHead } from './read-head.ts';

type CommitDue = z.infer<typeof commitDue>;

/** Has what is staged committed now; the window's own message finds it closed then. */
export async function commitNow(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  project: string,
  cause: Cause,
): Promise<{ generation: number }> {
  const { document: head } = await readHead(ports.documents, project);
  const data = { project, generation: head.generation, openedAt: ports.clock.now().toISOString(), now: true };
  const message = compose<CommitDue>(
    'darkroom.commit.due',
    `${project}/${windowId(head.generation)}`,
    data,
    cause,
    'now',
  );
  await ports.messages.send('dataset-commits', [message]);
  return { generation: head.generation };
}
