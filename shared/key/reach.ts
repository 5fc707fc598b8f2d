/** How far an API key reaches. A key of one project sees and makes keys of that project. */
import { TerminalError } from '../errors.ts';
import type { KeyDocument } from './document.ts';

/** Whether a key is for a project; `*` is all of them. */
export const reaches = (own: KeyDocument, project: string): boolean => own.project === '*' || own.project === project;

/** Throws a TerminalError where a key is not for a project. */
export function assertReaches(own: KeyDocument, project: string): void {
  if (reaches(own, project)) return;
  const detail = `The key "${own.name}" is for ${own.project}, so it makes keys for that alone. Leave project out, or ask whoever has a key for all projects.`;
  throw new TerminalError('forbidden', detail, 'project');
}

/** Throws a TerminalError for the end of a key that lies behind. */
export function assertAhead(expiresAt: string | null | undefined, now: Date): void {
  if (!expiresAt || Date.parse(expiresAt) > now.getTime()) return;
  const detail = `expiresAt lies in the past; now it is ${now.toISOString()}. Name a later time, or revoke the key.`;
  throw new TerminalError('invalid-body', detail, 'expiresAt');
}
