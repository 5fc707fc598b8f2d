/** Exact binomial and hypergeometric distributions, for tests and intervals that need no normal approximation. */

const small: number[] = [0];
for (let n = 1; n < 256; n++) small.push((small[n - 1] ?? 0) + Math.log(n));

/** ln(n!): by summation below 256, by Stirling's series above (error below 1e-12). */
export function logFactorial(n: number): number {
  if (n < 256) return small[n] ?? 0;
  const x = n + 1;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3);
}

/** P(X >= k) for X ~ Binomial(n, p): sum of exact terms from the smaller tail. */
export function upperTail(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  if (k > n) return 0;
  if (p <= 0) return 0;
  if (p >= 1) return 1;
  const term = (i: number): number =>
    Math.exp(logFactorial(n) - logFactorial(i) - logFactorial(n - i) + i * Math.log(p) + (n - i) * Math.log1p(-p));
  let sum = 0;
  if (k > n * p) {
    for (let i = k; i <= n; i++) {
      const t = term(i);
      sum += t;
      if (t < 1e-18) break;
    }
    return Math.min(1, sum);
  }
  for (let i = k - 1; i >= 0; i--) {
    const t = term(i);
    sum += t;
    if (t < 1e-18) break;
  }
  return Math.max(0, 1 - sum);
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

/** P(X >= k) where X of `drawn` samples, taken from `total` of which `marked` are marked, are marked (Fisher's exact test). */
export function drawnTail(k: number, drawn: number, marked: number, total: number): number {
  const least = Math.max(k, 0, drawn + marked - total);
  let sum = 0;
  for (let i = least; i <= Math.min(drawn, marked); i++)
    sum += Math.exp(logChoose(marked, i) + logChoose(total - marked, drawn - i) - logChoose(total, drawn));
  return Math.min(1, sum);
}

function bisect(f: (p: number) => boolean): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (f(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Clopper-Pearson interval of a proportion: k of n, two-sided at `confidence`. */
export function exactInterval(k: number, n: number, confidence: number): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 };
  const alpha = (1 - confidence) / 2;
  return {
    low: k === 0 ? 0 : bisect((p) => upperTail(k, n, p) < alpha),
    high: k === n ? 1 : bisect((p) => 1 - upperTail(k + 1, n, p) > alpha),
  };
}
