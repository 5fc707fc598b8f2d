/** Many seeds, one after the other, and what they add up to. */
import type { Fault } from './faults.ts';
import { type Report, simulateOutage, simulateSeed } from './simulate.ts';

export interface Found {
  seeds: number;
  operations: number;
  /** how often each fault struck, and in how many (handler, operation) pairs */
  faults: Map<Fault | 'outage', { times: number; places: Set<string> }>;
  /** (handler, operation) pairs that were seen */
  places: Set<string>;
  violations: { seed: number; violation: string }[];
}

const nothing = (): Found => ({ seeds: 0, operations: 0, faults: new Map(), places: new Set(), violations: [] });

function add(found: Found, { seed, operations, faults, violations }: Report): void {
  found.seeds++;
  found.operations += operations;
  for (const violation of violations) found.violations.push({ seed, violation });
  for (const place of faults.seen.keys()) found.places.add(place);
  for (const [key, times] of faults.struck) {
    const at = key.lastIndexOf(' | ');
    const fault = key.slice(at + 3) as Fault | 'outage';
    const known = found.faults.get(fault) ?? { times: 0, places: new Set() };
    known.times += times;
    known.places.add(key.slice(0, at));
    found.faults.set(fault, known);
  }
}

interface Search {
  from: number;
  count: number;
  uploads?: number | undefined;
  /** an hour without a service and without a person, instead of faults of every kind */
  outages?: boolean;
}

/** Simulates seeds from `from` on; `seen` is told after each and ends the search by answering false. */
export async function searchSeeds(
  { from, count, uploads, outages = false }: Search,
  seen: (found: Found) => boolean = () => true,
): Promise<Found> {
  const found = nothing();
  for (let seed = from; seed < from + count; seed++) {
    add(found, await (outages ? simulateOutage : simulateSeed)(seed, { uploads }));
    if (!seen(found)) break;
  }
  return found;
}
