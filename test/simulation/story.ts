/** A trace for people: the faults, and what happened to the things that a violation names. */
import type { Report } from './simulate.ts';

const maxLines = 120;

export function shorten({ trace, violations }: Report): string[] {
  const names = new Set(violations.flatMap((violation) => violation.match(/[a-z]?[0-9a-f]{16,}|trainer-\d+/g) ?? []));
  const about = trace.filter(
    ({ detail, outcome, what }) =>
      outcome.startsWith('**') ||
      what === 'dies' ||
      what === 'PROBLEM' ||
      [...names].some((name) => detail.includes(name)),
  );
  const lines = about
    .slice(-maxLines)
    .map(({ at, process, handler, what, detail, outcome }) =>
      `${(at / 1000).toFixed(3).padStart(9)} ${process.padEnd(13)} ${handler.padEnd(20)} ${what} ${detail} ${outcome}`.trimEnd(),
    );
  return [...(about.length > maxLines ? [`... ${about.length - maxLines} lines before`] : []), ...lines];
}
