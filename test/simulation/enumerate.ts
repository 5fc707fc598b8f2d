/** Every (handler, operation, fault), tried once on purpose: what random seeds combine, each alone. */
import { type Random } from '../random.ts';
import { type Fault, faultsOf, noFaults, type Planned, plannedFaults, type Rates } from './faults.ts';
import { drawPlan } from './plan.ts';
import { type Report, simulate } from './simulate.ts';

/** Plans that together reach every operation that any plan was seen to reach. */
const scouts = 240;
const uploads = 8;
const nobody: Planned = { at: '', fault: 'throttle', occurrence: 1 };

export interface Case extends Planned {
  seed: number;
}

export interface Tried extends Case {
  reached: boolean;
  violations: string[];
  operations: number;
}

/** What else goes wrong in a plan, so that handlers of odd ends are reached as well: differs from seed to seed. */
function surroundings(seed: number): Rates {
  const on = (every: number, rate: number): number => (seed % every === 0 ? rate : 0);
  return { ...noFaults, oddJob: on(2, 0.5), deadLettered: on(3, 0.15), duplicate: on(5, 0.2), network: on(7, 0.05) };
}

const planned = (seed: number, one: Planned, keepTrace: boolean): Promise<Report> =>
  simulate(
    seed,
    drawPlan(seed, uploads),
    (random: Random) => plannedFaults(random, surroundings(seed), one),
    keepTrace,
  );

/** Finds the cases: for each operation of a handler the cheapest plan that reaches it, and each fault it can have. */
export async function findCases(occurrences: number): Promise<Case[]> {
  const found = new Map<string, { seed: number; operations: number; faults: readonly Fault[]; times: number }>();
  for (let seed = 1; seed <= scouts; seed++) {
    const { faults, operations } = await planned(seed, nobody, false);
    for (const [at, { kind, times }] of faults.seen) {
      const known = found.get(at);
      if (known !== undefined && known.operations <= operations && known.times >= Math.min(times, occurrences))
        continue;
      found.set(at, { seed, operations, faults: faultsOf(kind), times });
    }
  }
  return [...found].flatMap(([at, { seed, faults, times }]) =>
    faults.flatMap((fault) =>
      Array.from({ length: Math.min(times, occurrences) }, (_, i) => ({ seed, at, fault, occurrence: i + 1 })),
    ),
  );
}

/** Tries one case; `reached` is false when its fault never struck. */
export async function tryCase(one: Case): Promise<Tried> {
  const { faults, violations, operations } = await planned(one.seed, one, false);
  return { ...one, reached: faults.struck.size > 0, violations, operations };
}

/** A case as people write it, and as `--case` reads it. */
export const caseName = ({ seed, at, fault, occurrence }: Case): string => [seed, at, fault, occurrence].join(' | ');

/** Reads what `caseName` wrote; undefined for anything else. */
export function parseCase(name: string): Case | undefined {
  const [seed, handler, operation, fault, occurrence] = name.split(' | ');
  if (fault === undefined || occurrence === undefined) return undefined;
  return {
    seed: Number(seed),
    at: `${handler} | ${operation}`,
    fault: fault as Fault,
    occurrence: Number(occurrence),
  };
}

/** Replays a case with its trace. */
export const replayCase = (one: Case): Promise<Report> => planned(one.seed, one, true);
