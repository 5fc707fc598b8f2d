/** Two models on the same samples: which is right where the other is wrong. */
import { upperTail } from './binomial.ts';

/**
 * One-sided paired test on discordant pairs (exact McNemar with a margin): under "the first is better by exactly
 * `margin`", a discordant pair favours the first with the chance (1 + margin * n / discordant) / 2.
 * Returns the chance of at least this many pairs for the first; small means it is better beyond the margin.
 */
export function pairedTest(onlyFirst: number, onlySecond: number, samples: number, margin: number): number {
  const discordant = onlyFirst + onlySecond;
  if (discordant === 0) return 1;
  return upperTail(onlyFirst, discordant, Math.min(1, (1 + (margin * samples) / discordant) / 2));
}
