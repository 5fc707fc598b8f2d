/** Shares an amount of something that a process has little of (pixels, bytes) between those who work at once. */
import { RetryLater } from './errors.ts';

/** What one of them has of a budget, which may become more and more. More than may be had at all counts as that. */
export interface Share {
  /** Makes the share `amount` in all if that can be had at once; false: it cannot, and nothing has changed. */
  tryGrow(amount: number): boolean;
  /**
   * Waits in the line until the share can be `amount` in all. Resolves to false when it was given back instead, which ends
   * the wait. Rejects with RetryLater when too many wait already.
   */
  grow(amount: number): Promise<boolean>;
  /** Gives everything back, once; later calls do nothing, and the share cannot grow any more. */
  release(): void;
}

export interface Budget {
  /**
   * Waits until `amount` is free and takes it; more than the whole budget counts as the whole budget.
   * Resolves to the function that gives it back (once, later calls do nothing).
   * Rejects with RetryLater when too many wait already.
   */
  take(amount: number, owner?: string): Promise<() => void>;
  /** A share of nothing, for who does not know yet how much it will be. */
  share(owner?: string): Share;
}

export interface BudgetOptions {
  /** requests that are at most this much in all overtake big ones that wait, where they fit */
  passing?: number;
  /** most that one owner has at a time, so that the rest is for others; default: all of it */
  perOwner?: number;
}

/** A process where this many of one owner wait is overloaded: the queue, or the client, must hold them, not we. */
const maxWaiting = 256;

interface Waiting {
  cost: number;
  end: (granted: boolean) => void;
}

/** Those of one owner: what they have, and who of them waits, first come first served. */
interface Line {
  held: number;
  waiting: Waiting[];
}

/** Creates a budget of `total`. Owners take turns; what an owner may not have yet holds up no other one. */
export function createBudget(total: number, { passing = 0, perOwner = total }: BudgetOptions = {}): Budget {
  let free = total;
  const most = Math.min(total, perOwner);
  // a Map keeps insertion order: the owner who is served goes to its end
  const lines = new Map<string, Line>();

  const lineOf = (owner: string): Line => {
    const line = lines.get(owner) ?? { held: 0, waiting: [] };
    lines.set(owner, line);
    return line;
  };
  const mayHave = (line: Line, cost: number): boolean => line.held + cost <= most;

  /** The next whose turn it is, whether or not there is enough for it. */
  const next = (): [string, Line, Waiting] | undefined => {
    for (const [owner, line] of lines) {
      const [first] = line.waiting;
      if (first !== undefined && mayHave(line, first.cost)) return [owner, line, first];
    }
    return undefined;
  };

  const startWaiting = (): void => {
    for (let turn = next(); turn !== undefined && turn[2].cost <= free; turn = next()) {
      const [owner, line, { end }] = turn;
      line.waiting.shift();
      lines.delete(owner);
      lines.set(owner, line);
      end(true);
    }
  };

  const share = (owner = ''): Share => {
    let held = 0;
    let given = false;
    let place: Waiting | undefined;
    const hold = (cost: number): void => {
      free -= cost;
      held += cost;
      lineOf(owner).held += cost;
    };
    const costOf = (amount: number): number => Math.max(0, Math.min(amount, most) - held);
    return {
      tryGrow(amount) {
        if (given) return false;
        const cost = costOf(amount);
        if (cost === 0) return true;
        const line = lines.get(owner);
        const inLine = amount > passing && ((line?.waiting.length ?? 0) > 0 || next() !== undefined);
        if (inLine || cost > free || (line !== undefined && !mayHave(line, cost))) return false;
        hold(cost);
        return true;
      },
      async grow(amount) {
        if (given) return false;
        const line = lineOf(owner);
        if (line.waiting.length >= maxWaiting)
          throw new RetryLater(`This process is overloaded: ${maxWaiting} others wait already.`);
        const cost = costOf(amount);
        const { promise, resolve } = Promise.withResolvers<boolean>();
        const end = (granted: boolean): void => {
          place = undefined;
          // at once, or others would take what this one was promised
          if (granted) hold(cost);
          resolve(granted);
        };
        place = { cost, end };
        line.waiting.push(place);
        startWaiting();
        return promise;
      },
      release() {
        if (given) return;
        given = true;
        const line = lineOf(owner);
        if (place !== undefined) {
          line.waiting.splice(line.waiting.indexOf(place), 1);
          place.end(false);
        }
        free += held;
        line.held -= held;
        held = 0;
        if (line.held === 0 && line.waiting.length === 0) lines.delete(owner);
        startWaiting();
      },
    };
  };

  return {
    share,
    async take(amount, owner) {
      const taken = share(owner);
      if (!taken.tryGrow(amount)) await taken.grow(amount);
      return () => taken.release();
    },
  };
}
