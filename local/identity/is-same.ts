/** Whether two secrets are the same, told in a time that says nothing of where they differ. */
import { timingSafeEqual } from 'node:crypto';

/** Whether both are the same text; their lengths are no secret. */
export function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
