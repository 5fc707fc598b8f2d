/** Shares an amount of something that a process has little of (pixels, bytes) between those who work at once. */
import { RetryLater } from './errors.ts';

export interface Budget {
  /**
   * Waits until `amount` is free and takes it; more than the whole budget counts as the whole budget.
   * Resolves to the function that gives it back (once, later calls do nothing).
   * Rejects with RetryLater when too many wait already.
   */
  take(amount: number): Promise<() => void>;
}

/** A process where this many wait is overloaded: the queue must hold them, not we. */
const maxWaiting = 256;

/** Creates a budget of `total`, first come first served: a big request is never overtaken by small ones behind it. */
export function createBudget(total: number): Budget {
  let free = total;
  const waiting: { cost: number; start: () => void }[] = [];

  const startWaiting = () => {
    for (let next = waiting[0]; next && next.cost <= free; next = waiting[0]) {
      waiting.shift();
      free -= next.cost;
      next.start();
    }
  };
  const releaseOnce = (cost: number) => {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      free += cost;
      startWaiting();
    };
  };

  return {
    async take(amount) {
      const cost = Math.min(amount, total);
      if (waiting.length >= maxWaiting)
        throw new RetryLater(`This process is overloaded: ${maxWaiting} others wait already.`);
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ cost, start: resolve });
      startWaiting();
      await promise;
      return releaseOnce(cost);
    },
  };
}
