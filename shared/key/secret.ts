/** The secret of an API key: 256 random bits, shown once, kept as their sha-256. */
import { createHash } from 'node:crypto';
import type { KeyDocument, Role } from './document.ts';

export interface Grant {
  name: string;
  role: Role;
  project: string;
  /** RFC 3339; left out: it works until it is revoked */
  expiresAt?: string;
}

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
export function keyDocument(key: string, grant: Grant, at: string): KeyDocument {
  const id = keyId(key);
  if (id === undefined) throw new Error('not a key of this API');
  return { id, pk: id, ...grant, createdAt: at };
}
