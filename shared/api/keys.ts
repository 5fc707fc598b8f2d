/** API keys: 256 random bits, shown once, kept as their sha-256. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { KeyDocument, Role } from '../key/document.ts';
import { projectName } from '../names.ts';

export const roles = ['viewer', 'labeler', 'operator'] as const satisfies readonly Role[];

/** Controls, marks without width and marks of direction: written as ranges, which regular expressions of any language know. */
const unseen = String.raw`\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff`;

/** Names of people and programs: one printable line, so that the audit trail can show it. */
export const keyName = z
  .string()
  .max(100)
  .regex(
    new RegExp(`^[^\\s${unseen}](?:[^${unseen}]*[^\\s${unseen}])?$`),
    'a name is one line of printable characters, no space at either end',
  );

/** What a key is for: a project, or `*` for all. */
export const keyScope = z.union([z.literal('*'), projectName]);

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

/** Does a key's role and project allow something? */
export function allows(key: KeyDocument, role: Role, project: string | undefined): boolean {
  if (roles.indexOf(key.role) < roles.indexOf(role)) return false;
  return key.project === '*' || (project !== undefined && key.project === project);
}

/** Whether a key has stopped working by itself. */
export const isExpired = ({ expiresAt }: Pick<KeyDocument, 'expiresAt'>, now: Date): boolean =>
  expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime();

/** Who holds a key: the same before and after it is rotated. */
export const holderOf = ({ id, holder }: Pick<KeyDocument, 'id' | 'holder'>): string => holder ?? id;
