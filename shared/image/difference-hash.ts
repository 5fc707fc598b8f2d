/** A hash that is nearly the same for pictures that look the same. */

/** Columns and rows of means; neighbours in a row make 64 bits. */
const hashColumns = 9;
const hashRows = 8;
/** A mean is over at most this many pixels in each direction, spread evenly: enough to see no noise, and soon done. */
const mostProbes = 16;

/** Where the pixels of means lie in one direction: `at[i]` belongs to mean `i / probes`, rounded down; ascending. */
type Probes = { at: number[]; probes: number };

function probesOf(pixels: number, means: number): Probes {
  const probes = Math.max(1, Math.min(mostProbes, Math.floor(pixels / means)));
  const position = (i: number): number =>
    Math.floor(((Math.floor(i / probes) + ((i % probes) + 0.5) / probes) * pixels) / means);
  return { at: Array.from({ length: means * probes }, (_, i) => position(i)), probes };
}

export type DifferenceHash = {
  /** Takes in the next rows of the picture: one channel, or three with the values of a pixel side by side. */
  add(samples: Uint8Array | Uint16Array, channels: number): void;
  /** 16 lower-case hex digits; `most` is the greatest value that a sample may have. */
  digest(most: 255 | 65_535): string;
};

/**
 * The difference hash of a picture that comes row by row: 9 x 8 mean brightnesses (ITU-R BT.601 luma, rounded to 0..255); a
 * bit for each, from the top left, that says whether it is brighter than its right neighbour.
 */
export function differenceHash(width: number, height: number): DifferenceHash {
  const across = probesOf(width, hashColumns);
  const along = probesOf(height, hashRows);
  const sums = new Float64Array(hashColumns * hashRows);
  let row = 0;
  let probe = 0;
  return {
    add(samples, channels) {
      const end = row + samples.length / channels / width;
      for (let y = along.at[probe]; y !== undefined && y < end; y = along.at[++probe]) {
        const cells = Math.floor(probe / along.probes) * hashColumns;
        for (const [i, x] of across.at.entries()) {
          const at = ((y - row) * width + x) * channels;
          const red = samples[at] as number;
          const luma =
            channels === 1
              ? red
              : 0.299 * red + 0.587 * (samples[at + 1] as number) + 0.114 * (samples[at + 2] as number);
          const cell = cells + Math.floor(i / across.probes);
          sums[cell] = (sums[cell] as number) + luma;
        }
      }
      row = end;
    },
    digest(most) {
      const means = sums.map((sum) => Math.round(sum / (across.probes * along.probes) / (most / 255)));
      let bits = 0n;
      for (const [cell, mean] of means.entries())
        if (cell % hashColumns > 0) bits = (bits << 1n) | ((means[cell - 1] as number) > mean ? 1n : 0n);
      return bits.toString(16).padStart(16, '0');
    },
  };
}
