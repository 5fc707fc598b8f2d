/** Runs benches one after another and tells what came out. */
import type { Bench, BenchOptions, Figure } from './bench.ts';

const number = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

function described({ name, value, unit, goal, holds, reason }: Figure): string {
  if (value === null) return `${name}: ${holds ? 'not measured' : 'FAILED'}: ${reason}`;
  const judged = goal === null ? '' : `${goal} ${holds ? 'holds' : 'MISSED'}`;
  return `${name.padEnd(48)} ${number(value).padStart(10)} ${unit.padEnd(12)} ${judged}`.trimEnd();
}

/**
 * The figures of every bench, in order. One that throws gives one figure, with its name and the reason, whose goal is
 * missed; the others run all the same.
 */
export async function runBenches(benches: Record<string, Bench>, options: BenchOptions): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, bench] of Object.entries(benches)) {
    options.say(`\n${name}`);
    const say = (text: string): void => options.say(`  ${text}`);
    const found = await bench({ ...options, say }).catch((error: unknown): Figure[] => {
      const reason = error instanceof Error ? error.message : String(error);
      return [{ name, value: null, unit: '', goal: 'is measured', holds: false, reason }];
    });
    for (const one of found) say(described(one));
    figures.push(...found);
  }
  return figures;
}

/** One line: which goals were missed, if any were judged. */
export function verdict(figures: readonly Figure[]): string {
  const missed = figures.filter(({ holds }) => !holds);
  if (missed.length > 0) return `missed: ${missed.map(({ name }) => name).join(', ')}`;
  return figures.some(({ goal }) => goal !== null) ? 'every goal holds' : 'no goal was judged';
}
