/**
 * Group commit, first half: a sample is staged, then the commit generation is read from the head and the window document of
 * that generation created (409: somebody has), unless the head says that its window is open. The committer advances the
 * generation before it lists what is staged, so no sample can fall between two windows, and there is one message per window
 * without duplicate detection.
 */
import type * as z from 'zod';
import type { HeadDocument, WindowDocument } from './document.ts';
import type { SampleDocument, StagedDocument } from '../sample/document.ts';
import type { Cause, commitDue } from '../delivery/message.ts';
import { compose } from '../delivery/compose.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import { update } from '../update.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ProjectSettings } from '../project/settings.ts';

type CommitDue = z.infer<typeof commitDue>;
type StagePorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

export const windowId = (generation: number): string => String(generation).padStart(10, '0');

/** The dataset head of a project that has none yet. */
const newHead = (project: string): HeadDocument => ({
  id: 'head',
  pk: project,
  generation: 0,
  head: null,
  unfinished: false,
});

/** Reads the head, creating it for a project without one. */
export async function readHead(documents: Ports['documents'], project: string): Promise<Stored<HeadDocument>> {
  const found = await documents.read('heads', project, 'head');
  if (found !== undefined) return found;
  const created = await documents.create('heads', newHead(project));
  if (created !== 'exists') return created;
  const existing = await documents.read('heads', project, 'head');
  if (existing === undefined) throw new Error(`the dataset head of ${project} is neither there nor can it be made`);
  return existing;
}

/** Stages a labelled sample for the next version and makes sure that a commit will come. Safe to repeat. */
export async function stageSample(
  ports: StagePorts,
  sample: SampleDocument,
  settings: ProjectSettings,
  cause: Cause,
): Promise<void> {
  const { documents, clock } = ports;
  const staged = {
    id: sample.id,
    pk: sample.project,
    revision: sample.revision,
    stagedAt: clock.now().toISOString(),
  };
  // again and again until it is there: a committer may take an older revision out at the same moment
  const newer = (current: StagedDocument | undefined) =>
    current === undefined || current.revision < staged.revision ? staged : 'keep';
  await update(documents, 'staged', staged.pk, staged.id, newer, 'none');
  const head = await readHead(documents, sample.project);
  const { generation, windowOf } = head.document;
  if (windowOf === generation) return;
  await openWindow(ports, sample.project, generation, settings, cause);
  await update(
    documents,
    'heads',
    sample.project,
    'head',
    (current) =>
      current === undefined || (current.windowOf ?? -1) >= generation ? 'keep' : { ...current, windowOf: generation },
    head,
  );
}

/** Opens the window of a generation unless it is open; its message is sent before this returns. */
export async function openWindow(
  ports: StagePorts,
  project: string,
  generation: number,
  settings: ProjectSettings,
  cause: Cause,
): Promise<void> {
  const id = windowId(generation);
  const open = await ports.documents.read('windows', project, id);
  // whoever opened it may have died before its message was sent: what is unsent is sent by everybody who sees it
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
    nextLook: message.id,
    closed: false,
    outbox: [{ to: 'queue', queue: 'dataset-commits', message, notBefore }],
  };
  const created = await ports.documents.create('windows', window);
  const stored = created === 'exists' ? await ports.documents.read('windows', project, id) : created;
  if (stored !== undefined) await sendOutbox(ports, 'windows', stored);
}

/** Commits what is staged now instead of waiting for the window. */
export async function commitNow(ports: StagePorts, project: string, cause: Cause): Promise<{ generation: number }> {
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
