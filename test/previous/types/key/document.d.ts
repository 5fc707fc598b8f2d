/** The document of an API key. */
import type { DocumentBase } from '../delivery/document.ts';
export type Role = 'viewer' | 'labeler' | 'operator';
/** id and pk: sha-256 of the key, in hex; the key itself is shown once and kept nowhere */
export interface KeyDocument extends DocumentBase {
  name: string;
  role: Role;
  /** a project's name, or `*` for all */
  project: string;
  createdAt: string;
  /** who made it: the name of another key, or a command */
  createdBy?: string;
  /** it works until then; missing: until it is revoked */
  expiresAt?: string;
  /** id of the first key of those that replaced one another: what is the same person or program. Missing: this one */
  holder?: string;
  /** the key that it was rotated to */
  replacedBy?: string;
  /** UTC day of its last use */
  lastUsedOn?: string;
}
