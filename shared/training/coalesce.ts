/** Ending runs that were never launched because another one does their work. */
import pMap from 'p-map';
import { update } from '../update.ts';
import type { Ports } from '../ports.ts';

type CoalescePorts = Pick<Ports, 'clock' | 'documents'>;

/**
 * Ends the documents of runs that gave way to one of these, and of those of them that gave way to another. The scheduler
 * is read after their documents were made: of two requests at once the later one sees both.
 */
export async function endCoalesced(ports: CoalescePorts, project: string, runs: readonly string[]): Promise<void> {
  const scheduler = (await ports.documents.read('schedulers', project, 'scheduler'))?.document;
  const isOne = (run: string | null): boolean => run !== null && runs.includes(run);
  const coalesced = scheduler?.decided.filter(({ decision }) => decision === 'coalesced') ?? [];
  const ended = coalesced.filter((s) => isOne(s.run) || isOne(s.into));
  await pMap(ended, ({ run: given, into }) => coalesceRun(ports, project, given, into ?? ''), { concurrency: 8 });
}

/** Ends a run that was never launched because `into` does its work. */
export async function coalesceRun(ports: CoalescePorts, project: string, run: string, into: string): Promise<void> {
  const at = ports.clock.now().toISOString();
  const detail = `Run ${into} trains on a newer version instead.`;
  const failure = { code: 'coalesced', detail, retryable: false };
  await update(ports.documents, 'runs', project, run, (current) =>
    current === undefined || current.state !== 'queued'
      ? 'keep'
      : { ...current, state: 'cancelled', endedAt: at, failure },
  );
}
