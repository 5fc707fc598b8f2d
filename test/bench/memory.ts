/** Memory of the functions process while 10,000 images come in, with bombs and very large pictures among them. */
import { existsSync } from 'node:fs';
import pMap from 'p-map';
import sharp, { type Sharp } from 'sharp';
import { atMost, type Bench, type BenchOptions, type Figure, figure, notMeasured } from './bench.ts';
import { decompressionBomb } from '../../local/demo/odd-files.ts';
import { type Scan, scans } from './digits.ts';
import { type BenchPlatform, settledUploads, startBenchPlatform, uploadsOf } from './platform.ts';

const [largeOnes, tooLarge, bombs, perBatch] = [12, 2, 3, 1000];

interface Kind {
  name: string;
  /** pixels */
  side: number;
  sigma: number;
  encode: (plain: Sharp) => Sharp;
}
const png: Kind = { name: 'png', side: 7000, sigma: 0.4, encode: (plain) => plain.png({ compressionLevel: 6 }) };
const jpeg: Kind = { name: 'jpg', side: 7000, sigma: 20, encode: (plain) => plain.jpeg() };
const progressive: Kind = { ...jpeg, side: 6000, encode: (plain) => plain.jpeg({ progressive: true }) };
const webp: Kind = { name: 'webp', side: 4600, sigma: 20, encode: (plain) => plain.webp({ effort: 0 }) };
/** The largest that are taken of what is read row by row, and of what a decoder holds whole. */
const kinds = [png, jpeg, progressive, webp];

async function large({ name, side, sigma, encode }: Kind, i: number): Promise<Scan> {
  const noise = { type: 'gaussian' as const, mean: 100 + i, sigma };
  const plain = sharp({ create: { width: side, height: side, channels: 3, background: 'black', noise } });
  return { name: `large${i}.${name}`, label: String(i % 10), bytes: await encode(plain).toBuffer() };
}

/** The uploads, a thousand digits each, and what is odd with the first. Made before any clock runs. */
async function batchesOf(count: number, say: BenchOptions['say']): Promise<Scan[][]> {
  const batches: Scan[][] = [];
  for (let from = 0; from < count; from += perBatch) batches.push(await scans(from, Math.min(count, from + perBatch)));
  const odd = [
    ...(await pMap([...Array(largeOnes).keys()], (i) => large(kinds[i % kinds.length] ?? png, i), { concurrency: 1 })),
    await large({ ...progressive, side: 7000 }, largeOnes),
    await large({ ...webp, side: 7000 }, largeOnes + 1),
    ...Array.from({ length: bombs }, (_, i) => ({ name: `bomb${i}.png`, label: '0', bytes: decompressionBomb() })),
  ];
  for (const { name, bytes } of odd) say(`${name}: ${(bytes.length / 1024 / 1024).toFixed(1)} MB`);
  batches[0]?.push(...odd);
  return batches;
}

/**
 * Uploads batch after batch and gives rate and memory of each. The next begins when 200 of those before have no outcome
 * yet, so that there is always work; the last waits for all. So a rate is what got an outcome in that time, whichever
 * batch it is of, and the batches' times add up to the whole.
 */
async function ingestBatches(
  platform: BenchPlatform,
  project: string,
  batches: Scan[][],
  say: BenchOptions['say'],
): Promise<Figure[]> {
  const figures: Figure[] = [];
  let sent = 0;
  let before = { settled: 0, at: performance.now() };
  for (const [i, batch] of batches.entries()) {
    await platform.upload(project, batch);
    sent += batch.length;
    const enough = i === batches.length - 1 ? sent : sent - 200;
    const settled = settledUploads(
      await platform.until(`/projects/${project}`, (answer) => settledUploads(answer) >= enough),
    );
    const at = performance.now();
    const rate = (settled - before.settled) / ((at - before.at) / 1000);
    before = { settled, at };
    const { now, most } = await platform.workerMemory();
    say(`${sent} uploaded, ${rate.toFixed(0)} images/s, ${now.toFixed(0)} MB, most ${most.toFixed(0)} MB`);
    figures.push(figure(`ingest-thousand-${i + 1}-images-per-second`, rate, 'images/s'));
    figures.push(figure(`ingest-thousand-${i + 1}-memory`, now, 'MB'));
  }
  return figures;
}

export const memory: Bench = async ({ quick, say }) => {
  if (!existsSync('/proc/self/status'))
    return [notMeasured('ingest-peak-memory', 'MB', `${process.platform} has no /proc to read it from; Linux has`)];
  const count = quick ? 1000 : 10_000;
  const batches = await batchesOf(count, say);
  const platform = await startBenchPlatform();
  try {
    const settings = { retrain: { onVersion: false }, commit: { quietSeconds: 5 } };
    await platform.call('PUT', '/projects/many', settings);
    const before = (await platform.workerMemory()).now;
    const startedAt = performance.now();
    const figures = await ingestBatches(platform, 'many', batches, say);
    const seconds = (performance.now() - startedAt) / 1000;
    const { most } = await platform.workerMemory();
    const { accepted, quarantined } = uploadsOf(await platform.call('GET', '/projects/many'));
    // a large picture that was refused was not decoded, and its memory not measured
    if (accepted !== count + largeOnes || quarantined !== bombs + tooLarge) {
      const all = count + largeOnes + bombs + tooLarge;
      throw new Error(`${accepted} uploads were accepted and ${quarantined} refused of ${all}`);
    }
    return [
      atMost('ingest-peak-memory', most, 'MB', 500),
      figure('ingest-memory-before', before, 'MB'),
      figure('ingest-many-images-per-second', batches.flat().length / seconds, 'images/s'),
      ...figures,
    ];
  } finally {
    await platform.close();
  }
};
