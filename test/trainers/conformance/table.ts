/** What came of each case with each trainer, as a table in Markdown: one row a case, one column a trainer. */
export type Outcome = 'passed' | 'FAILED' | '-';

/** `outcomes` by trainer, then by case; a case that was not tried is left empty. */
export function table(outcomes: ReadonlyMap<string, ReadonlyMap<string, Outcome>>): string {
  const trainers = [...outcomes.keys()];
  const names = [...new Set([...outcomes.values()].flatMap((byCase) => [...byCase.keys()]))];
  const rows = names.map((name) => [name, ...trainers.map((trainer) => outcomes.get(trainer)?.get(name) ?? '')]);
  const all = [['case', ...trainers], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (cells: string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(all[0] ?? []), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
