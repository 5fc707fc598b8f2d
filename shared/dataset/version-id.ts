/** Identity of a dataset version. */
import { createHash } from 'node:crypto';

/** sha-256 over content id, parent and number: equal versions have equal ids, whoever commits them and whenever. */
export function versionId(version: { root: string; parent: string | null; number: number }): string {
  const canonical = JSON.stringify({ number: version.number, parent: version.parent, root: version.root });
  return createHash('sha256').update(canonical).digest('hex');
}
