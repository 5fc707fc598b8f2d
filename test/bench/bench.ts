/** What a bench is, and the statistics that they share. */

export interface Figure {
  name: string;
  /** null: there is none, and `reason` says why */
  value: number | null;
  unit: string;
  /** what has to hold, in words for people; null: a figure to know, without a goal */
  goal: string | null;
  holds: boolean;
  reason?: string;
}

export interface BenchOptions {
  /** a tenth of the work, for a look; goals are judged all the same, except those that need code that is warm */
  quick: boolean;
  say: (line: string) => void;
}

export type Bench = (options: BenchOptions) => Promise<Figure[]>;

/** A figure that must not exceed `most`. */
export const atMost = (name: string, value: number, unit: string, most: number): Figure => ({
  ...{ name, value, unit, goal: `<= ${most}`, holds: value <= most },
});
/** A figure that must reach `least`. */
export const atLeast = (name: string, value: number, unit: string, least: number): Figure => ({
  ...{ name, value, unit, goal: `>= ${least}`, holds: value >= least },
});
/** A figure to know, without a goal. */
export const figure = (name: string, value: number, unit: string): Figure => ({
  ...{ name, value, unit, goal: null, holds: true },
});
/** A figure that this machine cannot give: no goal is missed by that. */
export const notMeasured = (name: string, unit: string, reason: string): Figure => ({
  ...{ name, value: null, unit, goal: null, holds: true, reason },
});

/** The value below which the share `q` of the values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
/** The value in the middle, or between the two in the middle. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** `a, b, c` with two digits after the point. */
export const spread = (values: readonly number[]): string => values.map((v) => v.toFixed(2)).join(', ');
