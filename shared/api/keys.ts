/** API keys: 256 random bits, shown once, kept as their sha-256. */
import { createHash } from 'node:crypto';
import type { KeyDocument, Role } from '../documents.ts';

export const roles = ['viewer', 'labeler', 'operator'] as const satisfies readonly Role[];

const prefix = 'dk_';

/** A new key from 32 random bytes. */
export function newKey(bytes: Buffer): string {
  if (bytes.length !== 32) throw new Error('a key is made of 32 random bytes');
  return prefix + bytes.toString('base64url');
}

/** Identity of a key in documents; undefined for what cannot be one. */
export function keyId(key: string): string | undefined {
  return /^dk_[A-Za-z0-9_-]{43}$/.test(key) ? createHash('sha256').update(key).digest('hex') : undefined;
}

/** The document of a key. */
export function keyDocument(
  key: string,
  grant: { name: string; role: Role; project: string },
  at: string,
): KeyDocument {
  const id = keyId(key);
  if (id === undefined) throw new Error('not a key of this API');
  return { id, pk: id, ...grant, createdAt: at };
}

/** Does a key's role and project allow something? */
export function allows(key: KeyDocument, role: Role, project: string | undefined): boolean {
  if (roles.indexOf(key.role) < roles.indexOf(role)) return false;
  return key.project === '*' || (project !== undefined && key.project === project);
}
