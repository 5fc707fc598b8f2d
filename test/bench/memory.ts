/** Memory of the functions process while 10,000 images come in, with bombs and very large pictures among them. */
import sharp from 'sharp';
import { inBatches } from '../../shared/parallel.ts';
import { atMost, type Bench, figure } from './bench.ts';
import { decompressionBomb } from '../../local/demo/odd-files.ts';
import { type Scan, scans } from './digits.ts';
import { settledUploads, startBenchPlatform } from './platform.ts';

/** A picture of 49 megapixels that is a legal upload, as PNG or JPEG. */
async function large(i: number): Promise<Scan> {
  const noise = { type: 'gaussian' as const, mean: 100 + i, sigma: i % 2 === 0 ? 0.4 : 20 };
  const plain = sharp({ create: { width: 7000, height: 7000, channels: 3, background: 'black', noise } });
  const png = i % 2 === 0;
  const bytes = await (png ? plain.png({ compressionLevel: 6 }) : plain.jpeg({ progressive: true })).toBuffer();
  return { name: `large${i}.${png ? 'png' : 'jpg'}`, label: String(i % 10), bytes };
}

export const memory: Bench = async ({ quick, say }) => {
  const count = quick ? 1000 : 10_000;
  const odd = [
    ...(await inBatches([0, 1, 2, 3, 4, 5, 6, 7], 1, large)),
    ...Array.from({ length: 3 }, (_, i) => ({ name: `bomb${i}.png`, label: '0', bytes: decompressionBomb() })),
  ];
  for (const { name, bytes } of odd) say(`${name}: ${(bytes.length / 1024 / 1024).toFixed(1)} MB`);
  const platform = await startBenchPlatform();
  try {
    const settings = { retrain: { onVersion: false }, commit: { quietSeconds: 5 } };
    await platform.call('PUT', '/projects/many', settings);
    const before = (await platform.workerMemory()).now;
    const startedAt = performance.now();
    let sent = 0;
    for (let from = 0; from < count; from += 1000) {
      const batch = await scans(from, Math.min(count, from + 1000));
      if (from === 0) batch.push(...odd);
      await platform.upload('many', batch);
      sent += batch.length;
      const project = await platform.until('/projects/many', (answer) => settledUploads(answer) >= sent - 200);
      const { now, most } = await platform.workerMemory();
      const rate = settledUploads(project) / ((performance.now() - startedAt) / 1000);
      say(
        `${sent}/${count + odd.length} uploaded, ${rate.toFixed(0)} images/s, ${now.toFixed(0)} MB, most ${most.toFixed(0)} MB`,
      );
    }
    await platform.until('/projects/many', (answer) => settledUploads(answer) === sent);
    const seconds = (performance.now() - startedAt) / 1000;
    const { most } = await platform.workerMemory();
    return [
      atMost('ingest-peak-memory', most, 'MB', 500),
      figure('ingest-memory-before', before, 'MB'),
      figure('ingest-many-images-per-second', sent / seconds, 'images/s'),
    ];
  } finally {
    await platform.close();
  }
};
