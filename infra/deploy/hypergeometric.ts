/** Drawing without replacement: the distribution behind Fisher's exact test. */
import { logFactorial } from '../../shared/evaluation/binomial.ts';

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

/**
 * Chance that of `drawn` records out of `all`, of which `marked` are marked, at least `count` are marked.
 * https://en.wikipedia.org/wiki/Hypergeometric_distribution
 */
export function tailOfDraw(count: number, drawn: number, marked: number, all: number): number {
  const [least, most] = [Math.max(0, drawn + marked - all), Math.min(drawn, marked)];
  if (count <= least) return 1;
  if (count > most) return 0;
  const ways = logChoose(all, drawn);
  let chance = 0;
  for (let k = count; k <= most; k++) {
    const term = Math.exp(logChoose(marked, k) + logChoose(all - marked, drawn - k) - ways);
    chance += term;
    // terms fall ever faster beyond the mode
    if (term < 1e-18 && k > (drawn * marked) / all) break;
  }
  return Math.min(1, chance);
}
