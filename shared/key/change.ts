/** Changing what an API key is called, what it is for, and when it ends. */
import type { Ports, Stored } from '../ports.ts';
import { assertSeen, changed, type Seen } from '../precondition.ts';
import type { KeyDocument } from './document.ts';
import { findKey } from './find.ts';
import { assertAhead, assertReaches } from './reach.ts';

/** What is left out stays. */
export interface KeyChange {
  name?: string | undefined;
  project?: string | undefined;
  /** null: never */
  expiresAt?: string | null | undefined;
}

/**
 * Changes a key on behalf of the key `own`. Throws a TerminalError where that reaches neither the key nor what it is to be
 * for, for an end that lies behind, and where the key is not as it was seen.
 */
export async function changeKey(
  { clock, documents }: Pick<Ports, 'clock' | 'documents'>,
  { own, id, seen, change }: { own: KeyDocument; id: string; seen: Seen; change: KeyChange },
): Promise<Stored<KeyDocument>> {
  const stored = await findKey({ documents }, own, id);
  const { name = stored.document.name, project = stored.document.project, expiresAt } = change;
  assertReaches(own, project);
  assertAhead(expiresAt, clock.now());
  if (seen !== undefined) assertSeen(seen, stored.etag);
  const { expiresAt: before, ...rest } = { ...stored.document, name, project };
  const after = expiresAt === undefined ? before : (expiresAt ?? undefined);
  const document = { ...rest, ...(after === undefined ? {} : { expiresAt: after }) };
  const saved = await documents.replace('keys', document, stored.etag);
  if (saved === 'changed') throw changed();
  return saved;
}
