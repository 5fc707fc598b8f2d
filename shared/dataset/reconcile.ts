/** Reconciling a project's dataset: a version whose committer died is finished, and samples whose window is lost are committed. */
import type { Cause } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import { commit } from './commit.ts';
import { commitWindow } from './commit-window.ts';
import { readHead } from './read-head.ts';

/** what was staged later than a window may last, and this long, is still being worked on */
const graceSeconds = 60;

/** A head whose committer died is finished by the next commit; this is the next commit. What it left unsent is sent. */
export async function finishVersion(ports: Ports, project: ProjectDocument, cause: Cause): Promise<void> {
  const head = await ports.documents.read('heads', project.id, 'head');
  if (head?.document.unfinished) await commit(ports, project, cause);
  else if (head !== undefined) await sendOutbox(ports, 'heads', head);
}

/** Samples whose window has lost its messages would wait for ever. */
export async function commitForgotten(ports: Ports, project: ProjectDocument, cause: Cause): Promise<void> {
  const staged = await ports.documents.query('staged', {
    pk: project.id,
    orderBy: { field: 'stagedAt', descending: false },
    limit: 1,
  });
  const oldest = staged.items[0]?.document.stagedAt;
  const waits = oldest === undefined ? 0 : (ports.clock.now().getTime() - Date.parse(oldest)) / 1000;
  if (waits < project.settings.commit.maxWaitSeconds + graceSeconds) return;
  const { document: head } = await readHead(ports.documents, project.id);
  await commitWindow(ports, project, head.generation, cause);
}
