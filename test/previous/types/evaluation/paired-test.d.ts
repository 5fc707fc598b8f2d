/**
 * One-sided paired test on discordant pairs (exact McNemar with a margin): under "the first is better by exactly
 * `margin`", a discordant pair favours the first with the chance (1 + margin * n / discordant) / 2.
 * Returns the chance of at least this many pairs for the first; small means it is better beyond the margin.
 */
export declare function pairedTest(onlyFirst: number, onlySecond: number, samples: number, margin: number): number;
