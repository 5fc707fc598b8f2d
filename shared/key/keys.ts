/** What is done with API keys by whoever may: making, listing, rotating, revoking. Nothing here keeps a key itself. */
import { holderOf } from '../api/keys.ts';
import { type Grant, keyDocument, newKey } from './secret.ts';
import type { KeyDocument } from './document.ts';
import { RetryLater } from '../errors.ts';
import { update } from '../delivery/outbox.ts';
import type { Clock, Documents, Stored } from '../ports.ts';

export interface KeyPorts {
  clock: Clock;
  documents: Documents;
}

/** A key that was made: `key` is shown once. */
export interface MadeKey {
  key: string;
  stored: Stored<KeyDocument>;
}

/** Makes a key from 32 random bytes. `by`: who asks for it. */
export async function makeKey(
  { clock, documents }: KeyPorts,
  bytes: Buffer,
  grant: Grant & Pick<KeyDocument, 'holder'>,
  by: string,
): Promise<MadeKey> {
  const key = newKey(bytes);
  const document = { ...keyDocument(key, grant, clock.now().toISOString()), createdBy: by };
  const created = await documents.create('keys', document);
  // nobody else draws these bytes: it was made by a call whose answer was lost on the way, and that was repeated
  const stored = created === 'exists' ? await documents.read('keys', document.pk, document.id) : created;
  if (stored === undefined) throw new RetryLater('the key was revoked while it was made');
  return { key, stored };
}

/** One page of keys, newest first; those of one project, or of all. */
export function listKeys(
  documents: Pick<Documents, 'query'>,
  { project, ...page }: { project?: string | undefined; limit: number; continuation?: string },
): Promise<{ items: Stored<KeyDocument>[]; continuation?: string }> {
  const equals = project === undefined || project === '*' ? {} : { project };
  return documents.query('keys', { equals, orderBy: { field: 'createdAt', descending: true }, ...page });
}

const lifetimeOf = ({ createdAt, expiresAt }: KeyDocument): number | undefined =>
  expiresAt === undefined ? undefined : Date.parse(expiresAt) - Date.parse(createdAt);

/**
 * Makes a key that may what `old` may, for the same holder and for as long; the old one works for `overlapSeconds` more,
 * and never longer than it would have. Undefined: the old one was revoked meanwhile, and there is no new one.
 */
export async function rotateKey(
  ports: KeyPorts,
  bytes: Buffer,
  old: KeyDocument,
  { overlapSeconds, by }: { overlapSeconds: number; by: string },
): Promise<MadeKey | undefined> {
  const now = ports.clock.now().getTime();
  const lifetime = lifetimeOf(old);
  const { name, role, project } = old;
  const expiry = lifetime === undefined ? {} : { expiresAt: new Date(now + lifetime).toISOString() };
  const made = await makeKey(ports, bytes, { name, role, project, ...expiry, holder: holderOf(old) }, by);
  const { id } = made.stored.document;
  const ends = now + overlapSeconds * 1000;
  const { stored } = await update(ports.documents, 'keys', old.pk, old.id, (current) => {
    if (current === undefined) return 'keep';
    const earlier = Math.min(ends, current.expiresAt === undefined ? ends : Date.parse(current.expiresAt));
    return { ...current, expiresAt: new Date(earlier).toISOString(), replacedBy: id };
  });
  if (stored !== undefined) return made;
  await ports.documents.remove('keys', id, id);
  return undefined;
}

/** Revokes a key: every process refuses it within the half minute for which it trusts what it has read. */
export const revokeKey = async ({ documents }: Pick<KeyPorts, 'documents'>, id: string): Promise<boolean> =>
  (await documents.remove('keys', id, id)) === 'removed';
