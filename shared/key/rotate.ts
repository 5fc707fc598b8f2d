/** Rotating an API key: another takes its place. */
import { holderOf } from '../api/keys.ts';
import { update } from '../update.ts';
import { createKey, type CreatedKey, type KeyPorts } from './create.ts';
import type { KeyDocument } from './document.ts';

const lifetimeOf = ({ createdAt, expiresAt }: KeyDocument): number | undefined =>
  expiresAt === undefined ? undefined : Date.parse(expiresAt) - Date.parse(createdAt);

/**
 * Creates a key that may what `old` may, for the same holder and for as long; the old one works for `overlapSeconds` more,
 * and never longer than it would have. Undefined: the old one was revoked meanwhile, and there is no new one.
 */
export async function rotateKey(
  ports: KeyPorts,
  bytes: Buffer,
  old: KeyDocument,
  { overlapSeconds, by }: { overlapSeconds: number; by: string },
): Promise<CreatedKey | undefined> {
  const now = ports.clock.now().getTime();
  const lifetime = lifetimeOf(old);
  const { name, role, project } = old;
  const expiry = lifetime === undefined ? {} : { expiresAt: new Date(now + lifetime).toISOString() };
  const created = await createKey(ports, bytes, { name, role, project, ...expiry, holder: holderOf(old) }, by);
  const { id } = created.stored.document;
  const ends = now + overlapSeconds * 1000;
  const { stored } = await update(ports.documents, 'keys', old.pk, old.id, (current) => {
    if (current === undefined) return 'keep';
    const earlier = Math.min(ends, current.expiresAt === undefined ? ends : Date.parse(current.expiresAt));
    return { ...current, expiresAt: new Date(earlier).toISOString(), replacedBy: id };
  });
  if (stored !== undefined) return created;
  await ports.documents.remove('keys', id, id);
  return undefined;
}
