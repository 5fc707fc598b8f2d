/** Shares an amount of something that a process has little of (pixels, bytes) between those who work at once. */
import { RetryLater } from './errors.ts';

/** What one of them has of a budget, which may become more and more. More than the whole budget counts as the whole budget. */
export interface Share {
  /** Makes the share `amount` in all if that can be had at once; false: it cannot, and nothing has changed. */
  tryGrow(amount: number): boolean;
  /**
   * Waits in the line until the share can be `amount` in all. Resolves to false when it was given back instead, which ends
   * the wait. Rejects with RetryLater when too many wait already.
   */
  grow(amount: number): Promise<boolean>;
  /** Gives everything back, once; later calls do nothing, and the share cannot grow any more. */
  giveBack(): void;
}

export interface Budget {
  /**
   * Waits until `amount` is free and takes it; more than the whole budget counts as the whole budget.
   * Resolves to the function that gives it back (once, later calls do nothing).
   * Rejects with RetryLater when too many wait already.
   */
  take(amount: number): Promise<() => void>;
  /** A share of nothing, for who does not know yet how much it will be. */
  share(): Share;
}

/** A process where this many wait is overloaded: the queue must hold them, not we. */
const maxWaiting = 256;

/**
 * Creates a budget of `total`, first come first served: a big request is overtaken by small ones behind it only where they
 * are at most `passing` in all, and fit.
 */
export function createBudget(total: number, passing = 0): Budget {
  let free = total;
  const waiting: { cost: number; end: (granted: boolean) => void }[] = [];

  const startWaiting = () => {
    for (let next = waiting[0]; next && next.cost <= free; next = waiting[0]) {
      waiting.shift();
      next.end(true);
    }
  };

  const share = (): Share => {
    let held = 0;
    let given = false;
    let place: (typeof waiting)[number] | undefined;
    const hold = (cost: number): void => {
      free -= cost;
      held += cost;
    };
    return {
      tryGrow(amount) {
        const cost = Math.min(amount, total) - held;
        const inLine = waiting.length > 0 && amount > passing;
        if (given || (cost > 0 && (inLine || cost > free))) return false;
        if (cost > 0) hold(cost);
        return true;
      },
      async grow(amount) {
        if (given) return false;
        if (waiting.length >= maxWaiting)
          throw new RetryLater(`This process is overloaded: ${maxWaiting} others wait already.`);
        const cost = Math.max(0, Math.min(amount, total) - held);
        const { promise, resolve } = Promise.withResolvers<boolean>();
        const end = (granted: boolean): void => {
          place = undefined;
          // at once, or others would take what this one was promised
          if (granted) hold(cost);
          resolve(granted);
        };
        place = { cost, end };
        waiting.push(place);
        startWaiting();
        return promise;
      },
      giveBack() {
        if (given) return;
        given = true;
        if (place !== undefined) {
          waiting.splice(waiting.indexOf(place), 1);
          place.end(false);
        }
        free += held;
        held = 0;
        startWaiting();
      },
    };
  };

  return {
    share,
    async take(amount) {
      const taken = share();
      if (!taken.tryGrow(amount)) await taken.grow(amount);
      return () => taken.giveBack();
    },
  };
}
