/** What goes wrong between a client and a service, chosen by a seed. */
import type { Random } from '../random.ts';

/**
 * `throttled`, `unavailable`: refused with and without a time to come back (429, 503; Service Bus: server busy).
 * `reset-before`, `reset-after`: the connection breaks, and the request was not, or was, carried out.
 * `half-closed`: the other side ends in the middle of its answer. `slow-body`: the answer comes in drops.
 * `silent`: nothing comes any more, and nobody says so.
 */
export const faultKinds = [
  'latency',
  'throttled',
  'unavailable',
  'reset-before',
  'reset-after',
  'half-closed',
  'slow-body',
  'silent',
] as const;
export type FaultKind = (typeof faultKinds)[number];
export type Rates = Partial<Record<FaultKind, number>>;

export interface Faults {
  /** the fault of the next request, if any */
  next(): FaultKind | undefined;
  /** chances from now on; none: everything works */
  set(rates: Rates): void;
  /** these strike first, one request each */
  strike(...kinds: FaultKind[]): void;
  /** how often each fault struck */
  struck: Map<FaultKind, number>;
  random: Random;
}

/** Makes faults of one service; nothing goes wrong before `set`. */
export function createFaults(random: Random): Faults {
  let rates: Rates = {};
  const struck = new Map<FaultKind, number>();
  const due: FaultKind[] = [];
  const count = (kind: FaultKind): FaultKind => {
    struck.set(kind, (struck.get(kind) ?? 0) + 1);
    return kind;
  };
  return {
    random,
    struck,
    set: (next) => void (rates = next),
    strike: (...kinds) => void due.push(...kinds),
    next() {
      const first = due.shift();
      if (first !== undefined) return count(first);
      let dice = random.next();
      for (const kind of faultKinds) {
        const rate = rates[kind] ?? 0;
        if (dice < rate) return count(kind);
        dice -= rate;
      }
      return undefined;
    },
  };
}

/** longer than any call may wait for an answer on one connection is of no use; the peer's network gives up some day */
export const silenceMs = 60_000;
/** How long an answer is held back. */
export const latencyMs = (random: Random): number => random.between(50, 600);
