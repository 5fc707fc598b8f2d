/** What an answer of a model has to be. */

/** float16 and the last digits of large softmaxes; a model without a softmax is off by more than that. */
const tolerance = 1e-2;

/** Whether one image's numbers are probabilities: finite, none beyond 0 to 1, and 1 in all. Not-a-number is none. */
export function areProbabilities(row: Float32Array): boolean {
  let sum = 0;
  for (const value of row) {
    if (!(value >= -tolerance && value <= 1 + tolerance)) return false;
    sum += value;
  }
  return Math.abs(sum - 1) <= tolerance;
}
