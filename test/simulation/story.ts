/** What people read of simulations: a trace of what matters, and what many seeds add up to. */
import { operationFaults } from './faults.ts';
import type { Found } from './search.ts';
import type { Report } from './simulate.ts';

const maxLines = 120;

/** A trace for people: the faults, and what happened to the things that a violation names; the newest lines. */
export function shorten({ trace, violations }: Pick<Report, 'trace' | 'violations'>, most = maxLines): string[] {
  const names = new Set(violations.flatMap((violation) => violation.match(/[a-z]?[0-9a-f]{16,}|trainer-\d+/g) ?? []));
  const about = trace.filter(
    ({ detail, outcome, what }) =>
      outcome.startsWith('**') ||
      what === 'dies' ||
      what === 'PROBLEM' ||
      [...names].some((name) => detail.includes(name)),
  );
  const lines = about
    .slice(-most)
    .map(({ at, process, handler, what, detail, outcome }) =>
      `${(at / 1000).toFixed(3).padStart(9)} ${process.padEnd(13)} ${handler.padEnd(20)} ${what} ${detail} ${outcome}`.trimEnd(),
    );
  return [...(about.length > most ? [`... ${about.length - most} lines before`] : []), ...lines];
}

/** Faults by kind, and violations by kind with the first seeds that show each. */
export function summarize({ operations, faults, places, violations }: Found): string[] {
  const number = (n: number): string => n.toLocaleString('en-US');
  const struck = [...operationFaults, 'outage' as const].flatMap((fault) => {
    const known = faults.get(fault);
    if (known === undefined) return [];
    return [`${fault.padEnd(14)} ${number(known.times).padStart(12)} times, at ${known.places.size} operations`];
  });
  const kinds = new Map<string, Set<number>>();
  for (const { seed, violation } of violations) {
    const kind = violation.replaceAll(/[0-9a-f]{6,}|\d+/g, '#').slice(0, 260);
    kinds.set(kind, (kinds.get(kind) ?? new Set()).add(seed));
  }
  return [
    `${number(operations)} operations at ${places.size} places (an operation of a handler)`,
    ...struck,
    ...[...kinds]
      .sort((a, b) => b[1].size - a[1].size)
      .map(
        ([kind, seeds]) => `${String(seeds.size).padStart(5)} x ${kind}   seeds ${[...seeds].slice(0, 4).join(' ')}`,
      ),
  ];
}
