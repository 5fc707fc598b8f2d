/** Waiting with a limit, and a message that says what was awaited and what was seen instead. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Wait {
  /** completes the sentence "Expected ..." */
  expected: string;
  limitSeconds: number;
  everyMs?: number;
}

/** What one look found: it is there, or this is how far it is. */
export type Look<T> = { found: T } | { seen: string };

/** Looks until it is found. Throws "Expected ... within n s; seen: ..." at the limit. */
export async function waitFor<T>(
  { expected, limitSeconds, everyMs = 500 }: Wait,
  look: () => Promise<Look<T>>,
): Promise<T> {
  const until = performance.now() + limitSeconds * 1000;
  for (;;) {
    const result = await look();
    if ('found' in result) return result.found;
    if (performance.now() >= until)
      throw new Error(`Expected ${expected} within ${limitSeconds} s; seen: ${result.seen}`);
    await sleep(everyMs);
  }
}
