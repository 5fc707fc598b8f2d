/** Keeps the locks of messages that are in work. */
import type { ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';

/** A lock is renewed this long before it ends; one that has less than twice as long, when half of that is left. */
const leadMs = 10_000;

/**
 * Renews the lock of a message again and again, for `forMs` at the longest; returns what ends that, to be called before the
 * message is settled. `onError` is called once at most, and not for a renewal that was under way when it was ended.
 * The SDK's own renewal knows messages by their id: of two with the same id in work, which a repeated send makes, it goes on
 * with one after both are settled, and reports a lock that nobody has lost.
 */
export function keepLocked(
  receiver: Pick<ServiceBusReceiver, 'renewMessageLock'>,
  message: ServiceBusReceivedMessage,
  forMs: number,
  onError: (error: Error) => void,
): () => void {
  const until = Date.now() + forMs;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const plan = (lockedUntil: Date): void => {
    const leftMs = lockedUntil.getTime() - Date.now();
    if (ended || lockedUntil.getTime() >= until) return;
    timer = setTimeout(renew, Math.max(leftMs - leadMs, leftMs / 2, 0));
    timer.unref();
  };
  const renew = (): void => {
    receiver.renewMessageLock(message).then(plan, (error: unknown) => {
      if (!ended) onError(error instanceof Error ? error : new Error(String(error)));
    });
  };
  if (message.lockedUntilUtc !== undefined) plan(message.lockedUntilUtc);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
