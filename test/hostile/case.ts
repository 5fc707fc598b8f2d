/** What the corpus is made of, and the table that shows what became of it. */
import { table } from '../../local/demo/table.ts';

/** One hostile input and what must become of it. */
export interface HostileCase<I> {
  name: string;
  input: I;
  expected: string;
}

/** What became of a case. */
export interface Result {
  kind: string;
  name: string;
  expected: string;
  outcome: string;
}

/** Outcomes of one kind: of those that went well the rest is a label. */
const groupOf = (outcome: string): string => outcome.split(' ', outcome.startsWith('accepted') ? 1 : 2).join(' ');

/** Cases by class, each class with how often it ended how; what ended unlike it must is named below. */
export function report(results: readonly Result[]): string[] {
  const kinds = [...new Set(results.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const own = results.filter((r) => r.kind === kind);
    const counts = new Map<string, number>();
    for (const { outcome } of own) {
      const short = groupOf(outcome);
      counts.set(short, (counts.get(short) ?? 0) + 1);
    }
    const sorted = [...counts].sort(([, a], [, b]) => b - a);
    return [kind, own.length, sorted.map(([outcome, n]) => `${outcome} ${n}`).join(', ')];
  });
  const unexpected = results.filter(({ outcome, expected }) => outcome !== expected);
  return [
    ...table(['input', 'cases', 'outcomes'], [...rows, ['all', results.length, `${unexpected.length} unexpected`]]),
    ...unexpected.map((r) => `unexpected: ${r.kind}, ${r.name}: ${r.outcome} instead of ${r.expected}`),
  ];
}
