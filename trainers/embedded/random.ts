/** Seeded random numbers of integer operations only: the same sequence on every machine and engine. */
export interface Random {
  /** uniform in [0, 1) */
  next(): number;
  /** uniform integer in [0, below) */
  below(limit: number): number;
  /** uniform in [-radius, radius) */
  around(radius: number): number;
  /** mean 0, variance 1 */
  normal(): number;
  shuffle(items: Uint32Array): void;
}

/** The generator sfc32 (PractRand, Chris Doty-Humphrey), seeded with 32 bits. */
export function createRandom(seed: number): Random {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88 ^ Math.imul(seed, 0x85ebca6b);
  let c = 0xb7e15162 ^ Math.imul(seed, 0xc2b2ae35);
  let counter = 1;
  const next = (): number => {
    const value = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + value) | 0;
    return (value >>> 0) / 2 ** 32;
  };
  // the seed takes some rounds to reach all of the state
  for (let i = 0; i < 15; i++) next();
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    around: (radius) => radius * (2 * next() - 1),
    // Irwin-Hall: twelve uniforms; no logarithm or cosine, whose last bits differ between engines
    normal: () => {
      let sum = -6;
      for (let i = 0; i < 12; i++) sum += next();
      return sum;
    },
    shuffle: (items) => {
      for (let i = items.length - 1; i > 0; i--) {
        const j = below(i + 1);
        const kept = items[i] ?? 0;
        items[i] = items[j] ?? 0;
        items[j] = kept;
      }
    },
  };
}
