/**
 * Group commit, second half. Correctness comes from one compare-and-swap of the head alone; everything after it is finishing
 * (complete-version.ts), which any later committer repeats when this one dies.
 */
import type { Cause } from '../delivery/message.ts';
import { outboxOf } from '../delivery/send-outbox.ts';
import { RetryLater } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import { update } from '../update.ts';
import { announceVersion } from './announce-version.ts';
import type { HeadDocument, VersionSummary } from './document.ts';
import { completeVersion } from './complete-version.ts';
import { listStaged } from './list-staged.ts';
import { readHead } from './read-head.ts';
import { unstage } from './unstage.ts';
import { writeVersion } from './write-version.ts';

export type CommitPorts = Pick<Ports, 'clock' | 'documents' | 'blobs' | 'messages' | 'tree'>;

const maxTries = 8;

export interface CommitResult {
  version: VersionSummary | null;
  /** more was staged than one commit takes */
  more: boolean;
}

/** Commits everything that is staged, at most `maxItems` samples, as one new version; nothing staged makes none. */
export async function commit(ports: CommitPorts, project: ProjectDocument, cause: Cause): Promise<CommitResult> {
  for (let tries = 0; tries < maxTries; tries++) {
    const head = await completeVersion(ports, await readHead(ports.documents, project.id));
    // while we finished one version another committer made the next: nothing may be built on it before it is finished
    if (head.document.unfinished) continue;
    const { all: listed, more } = await listStaged(ports, project);
    if (listed.length === 0) return { version: null, more: false };
    const samples = listed.flatMap(({ sample }) => (sample === undefined ? [] : [sample.document]));
    const summary = await writeVersion(ports, project, head.document, samples);
    if (summary === undefined) {
      // nothing differs from the head: these were committed before a crash, or were given back the annotation that they had
      if ((await updateHead(ports, head, (current) => ({ ...current, fence: (current.fence ?? 0) + 1 }))) === undefined)
        continue;
      await unstage(ports, project.id, listed);
      return { version: null, more };
    }
    const saved = await updateHead(ports, head, (current) => ({
      ...current,
      head: summary,
      unfinished: true,
      outbox: [...outboxOf(current), ...announceVersion(project.id, current.head, summary, cause)],
    }));
    if (saved === undefined) continue;
    await completeVersion(ports, saved, listed);
    // what was staged again without a change is in no difference between the two versions
    const again = listed.filter(({ sample }) => sample !== undefined && sample.document.key !== null);
    await unstage(ports, project.id, again);
    return { version: summary, more };
  }
  throw new RetryLater(`the head of ${project.id} moved ${maxTries} times during one commit`);
}

/**
 * Changes the head that a commit was built on; undefined when another commit came first. That a window was closed
 * meanwhile does not matter: under load one closes in less time than a large commit takes.
 */
async function updateHead(
  ports: CommitPorts,
  base: Stored<HeadDocument>,
  change: (current: HeadDocument) => HeadDocument,
): Promise<Stored<HeadDocument> | undefined> {
  const { pk: project, head, fence } = base.document;
  const { stored, changed } = await update(
    ports.documents,
    'heads',
    project,
    'head',
    (current) => {
      const isBase = current?.head?.version === head?.version && current?.fence === fence;
      return current === undefined || current.unfinished || !isBase ? 'keep' : change(current);
    },
    base,
  );
  return changed ? stored : undefined;
}
