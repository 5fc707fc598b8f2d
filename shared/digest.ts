/** Identifiers that derive from content or cause. */
import { createHash } from 'node:crypto';

/** An id that others derived from it are not longer than `length`: what is longer keeps its beginning and its digest. */
export const shortened = (id: string, length: number): string =>
  id.length <= length ? id : `${id.slice(0, length - 33)}-${digestOf(32, id)}`;

/** The first `length` hex digits of sha-256 over the parts, joined by newlines (which no part contains). */
export function digestOf(length: number, ...parts: string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, length);
}
