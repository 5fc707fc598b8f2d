/**
 * Pictures that look the same and have other pixels: a photo as two JPEGs, or in two sizes. Two hashes of what they look like
 * that differ in at most three of 64 bits have one of their four 16-bit parts in common, so only those are compared that do.
 */
import { type Annotation, isSame, type TaskKind } from '../task/task.ts';
import type { Split } from './document.ts';

/** a picture saved as a JPEG of quality 50, or at half its size, differs in this many bits at most; others hardly ever do */
export const nearBits = 3;
const partBits = 16;
const parts = 64 / partBits;

export interface Looks {
  id: string;
  annotation: Annotation | null;
  split: Split;
  /** 16 hex digits */
  perceptualHash: string;
}

export interface NearDuplicate {
  /** bits in which the hashes differ */
  distance: number;
  samples: [Looks, Looks];
}

export interface NearDuplicates {
  /** what leaks from one split into another first, then what has two annotations, then by distance */
  pairs: NearDuplicate[];
  /** whether every pair was found: false where a limit came first */
  complete: boolean;
}

/** Finds pairs that look the same. Many thousand pictures of the same looks reach a limit before every pair is found. */
export function findNearDuplicates(
  kind: TaskKind,
  samples: readonly Looks[],
  { maxPairs = 10_000, maxComparisons = 10_000_000 }: { maxPairs?: number; maxComparisons?: number } = {},
): NearDuplicates {
  const hashes = samples.map(({ perceptualHash }) => partsOf(perceptualHash));
  const pairs: NearDuplicate[] = [];
  let comparisons = 0;
  for (let part = 0; part < parts; part++) {
    const alike = new Map<number, number[]>();
    for (const [i, hash] of hashes.entries()) {
      const value = hash[part] ?? 0;
      const before = alike.get(value);
      if (before === undefined) {
        alike.set(value, [i]);
        continue;
      }
      for (const j of before) {
        if (pairs.length === maxPairs || comparisons === maxComparisons)
          return { pairs: ranked(kind, pairs), complete: false };
        comparisons++;
        const other = hashes[j] ?? [];
        const distance = distanceOf(hash, other);
        // a pair that an earlier part has in common was found there
        if (distance > nearBits || hash.slice(0, part).some((bits, p) => bits === other[p])) continue;
        pairs.push({ distance, samples: [samples[j] as Looks, samples[i] as Looks] });
      }
      before.push(i);
    }
  }
  return { pairs: ranked(kind, pairs), complete: true };
}

const partsOf = (hash: string): number[] =>
  Array.from({ length: parts }, (_, part) => Number.parseInt(hash.slice(part * 4, part * 4 + 4), 16));

function distanceOf(a: readonly number[], b: readonly number[]): number {
  let distance = 0;
  for (let part = 0; part < parts; part++)
    for (let bits = (a[part] ?? 0) ^ (b[part] ?? 0); bits !== 0; bits &= bits - 1) distance++;
  return distance;
}

function ranked(kind: TaskKind, pairs: NearDuplicate[]): NearDuplicate[] {
  const rank = ({ samples: [a, b], distance }: NearDuplicate): number =>
    (a.split === b.split ? 2 : 0) * 100 + (isSame(kind, a.annotation, b.annotation) ? 1 : 0) * 100 + distance;
  return pairs.sort((a, b) => rank(a) - rank(b));
}
