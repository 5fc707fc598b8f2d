/** Finding samples that no version takes, and a version that nobody finished. */
import type { Ports } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import { isLongAgo, type Stuck, sweepNow } from '../project/stuck.ts';
import { readHead } from './read-head.ts';

/** beyond the longest window */
const stagedSeconds = 60;
const savedSeconds = 60;

/** The oldest staged sample, when its window is long over, and a head whose committer seems to have died. */
export async function findStuckSamples(
  ports: Pick<Ports, 'clock' | 'documents'>,
  { id: project, settings }: ProjectDocument,
): Promise<Stuck[]> {
  const [staged, { document: head }] = await Promise.all([
    ports.documents.query('staged', { pk: project, orderBy: { field: 'stagedAt', descending: false }, limit: 1 }),
    readHead(ports.documents, project),
  ]);
  const stuck: Stuck[] = [];
  const oldest = staged.items[0]?.document;
  if (oldest !== undefined && isLongAgo(ports, oldest.stagedAt, settings.commit.maxWaitSeconds + stagedSeconds)) {
    const count = await ports.documents.count('staged', { pk: project });
    stuck.push({
      kind: 'samples',
      id: oldest.id,
      since: oldest.stagedAt,
      detail: `${count} labelled samples wait for a version, this one longest, though a version is made after ${settings.commit.maxWaitSeconds} s.`,
      remedy: sweepNow(project),
    });
  }
  if (head.unfinished && head.head !== null && isLongAgo(ports, head.head.createdAt, savedSeconds)) {
    stuck.push({
      kind: 'version',
      id: head.head.version,
      since: head.head.createdAt,
      detail: `Version ${head.head.number} is the head, but whoever made it did not mark its samples or write its document.`,
      remedy: sweepNow(project),
    });
  }
  return stuck;
}
