/** Finding batches that do not go on. */
import type { Ports } from '../ports.ts';
import { isLongAgo, maxStuck, type Stuck, sweepNow } from '../project/stuck.ts';

/** a sweep has come by then, and a part been made */
const silentSeconds = 1800;

/** Batches of a project that are at work and have kept no part for longer than a sweep takes to wake them. */
export async function findStuckBatches(ports: Pick<Ports, 'clock' | 'documents'>, project: string): Promise<Stuck[]> {
  const open = { pk: project, equals: { state: 'scoring' as const }, limit: maxStuck };
  const { items } = await ports.documents.query('batches', open);
  return items.flatMap(({ document: { id, movedAt, parts } }) => {
    if (!isLongAgo(ports, movedAt, silentSeconds)) return [];
    const detail = `It has made ${parts} parts of its results, and none since then.`;
    return [{ kind: 'batch' as const, id, since: movedAt, detail, remedy: sweepNow(project) }];
  });
}
