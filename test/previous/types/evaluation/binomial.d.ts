/** Exact binomial and hypergeometric distributions, for tests and intervals that need no normal approximation. */
/** ln(n!): by summation below 256, by Stirling's series above (error below 1e-12). */
export declare function logFactorial(n: number): number;
/** P(X >= k) for X ~ Binomial(n, p): sum of exact terms from the smaller tail. */
export declare function upperTail(k: number, n: number, p: number): number;
/** P(X >= k) where X of `drawn` samples, taken from `total` of which `marked` are marked, are marked (Fisher's exact test). */
export declare function drawnTail(k: number, drawn: number, marked: number, total: number): number;
/** Clopper-Pearson interval of a proportion: k of n, two-sided at `confidence`. */
export declare function exactInterval(
  k: number,
  n: number,
  confidence: number,
): {
  low: number;
  high: number;
};
