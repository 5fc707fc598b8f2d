/** API keys as the API takes and shows them: names, scopes, roles. */
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
