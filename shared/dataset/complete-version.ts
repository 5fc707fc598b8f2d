/** What follows the compare-and-swap of a head. Any later committer repeats it when the one that began it dies. */
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import { RetryLater } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import { update } from '../update.ts';
import { assignKeys, type Committed } from './assign-keys.ts';
import { diff } from './diff.ts';
import type { HeadDocument } from './document.ts';
import type { Staged } from './list-staged.ts';
import { readHead } from './read-head.ts';
import { treeStore } from './store.ts';

type FinishPorts = Pick<Ports, 'blobs' | 'documents' | 'messages'>;

/** samples whose keys are written together: what is held of a large version at a time */
const keysAtOnce = 2000;

/**
 * Completes a head that was swapped: version document, messages, keys of its samples, unstaging. The messages go first,
 * since training needs no keys; a crash before the flag is cleared repeats all of it. `listed`: what the committer itself
 * has read for this version. Does nothing to a head that is finished, but send what it has not sent.
 */
export async function completeVersion(
  ports: FinishPorts,
  head: Stored<HeadDocument>,
  listed: readonly Staged[] = [],
): Promise<Stored<HeadDocument>> {
  const { document } = head;
  const summary = document.head;
  if (summary === null || !document.unfinished) return sendHead(ports, head);
  const project = document.pk;
  await ports.documents.create('versions', { id: summary.version, pk: project, ...summary });
  await sendOutbox(ports, 'heads', head);
  const parent = summary.parent === null ? undefined : await ports.documents.read('versions', project, summary.parent);
  const before = parent?.document.root ?? null;
  const known = new Map(listed.map((one) => [one.staged.document.id, one]));
  let part: Committed[] = [];
  for await (const change of diff(treeStore(ports.blobs, project), before, summary.root)) {
    if (change.after === undefined) continue;
    part.push({ key: change.key, record: change.after });
    if (part.length < keysAtOnce) continue;
    await assignKeys(ports, project, summary, part, known);
    part = [];
  }
  await assignKeys(ports, project, summary, part, known);
  const cleared = await update(ports.documents, 'heads', project, 'head', (current) =>
    current?.head?.version !== summary.version || !current.unfinished ? 'keep' : { ...current, unfinished: false },
  );
  if (cleared.stored === undefined) throw new RetryLater(`the head of ${project} vanished`);
  return sendHead(ports, cleared.stored);
}

/**
 * Sends what a head has not sent: whoever closed a window between the sending and the clearing of its messages has
 * kept them.
 */
async function sendHead(ports: FinishPorts, head: Stored<HeadDocument>): Promise<Stored<HeadDocument>> {
  if (outboxOf(head.document).length === 0) return head;
  await sendOutbox(ports, 'heads', head);
  return readHead(ports.documents, head.document.pk);
}
