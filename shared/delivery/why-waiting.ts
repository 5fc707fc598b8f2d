/** Why something waits whose message was put off, in a sentence. */
import type { Waits } from './document.ts';

/** Why it does not go on, in a sentence; null when nothing is known to be in the way at this moment. */
export const whyWaiting = (waits: Waits | undefined, now: Date): string | null =>
  waits === undefined || Date.parse(waits.nextAt) < now.getTime()
    ? null
    : `It waits: ${waits.detail} The next try is at ${waits.nextAt}.`;
