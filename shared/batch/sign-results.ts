/** Addresses of a batch's results. */
import type { Ports } from '../ports.ts';
import { taskOf } from '../task/task.ts';
import type { BatchDocument } from './document.ts';
import { resultNames } from './results.ts';

const lifetimeMs = 3_600_000;

/** Signs addresses to read the results for an hour; null: there are none. */
export async function signResults(
  { blobs, clock }: Pick<Ports, 'blobs' | 'clock'>,
  batch: BatchDocument,
): Promise<{ jsonLines: string; csv: string | null; expiresAt: string } | null> {
  if (batch.state !== 'succeeded') return null;
  const expires = new Date(clock.now().getTime() + lifetimeMs);
  const names = resultNames(batch);
  const sign = (name: string): Promise<string> => blobs.sign('jobs', name, 'read', expires);
  return {
    jsonLines: await sign(names.jsonLines),
    csv: taskOf(batch).table === undefined ? null : await sign(names.csv),
    expiresAt: expires.toISOString(),
  };
}
