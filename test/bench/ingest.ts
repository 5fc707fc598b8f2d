/** How fast uploads become a version, against what their blob operations alone take on the same Azurite. */
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import pMap from 'p-map';
import { atLeast, type Bench, figure, median, spread } from './bench.ts';
import { type Scan, scans } from './digits.ts';
import { type BenchPlatform, settledUploads, startBenchPlatform } from './platform.ts';

const width = 16;

/** Images per second of the app's PUT, our GET and our PUT, and nothing else. */
async function blobOnly(container: ContainerClient, files: Scan[], round: number): Promise<number> {
  const startedAt = performance.now();
  await pMap(
    files,
    async ({ name, bytes }) => {
      const uploaded = container.getBlockBlobClient(`${round}/uploaded/${name}`);
      await uploaded.uploadData(bytes, { blobHTTPHeaders: { blobContentType: 'image/png' } });
      const read = await uploaded.downloadToBuffer();
      await container.getBlockBlobClient(`${round}/stored/${name}`).upload(read, read.length);
    },
    { concurrency: width },
  );
  return files.length / ((performance.now() - startedAt) / 1000);
}

/** Images per second from the first PUT until a version holds them all. */
async function whole(platform: BenchPlatform, project: string, files: Scan[]): Promise<number> {
  const settings = { retrain: { onVersion: false }, commit: { quietSeconds: 3600, maxWaitSeconds: 86_400 } };
  await platform.call('PUT', `/projects/${project}`, settings);
  const startedAt = performance.now();
  await platform.upload(project, files);
  await platform.until(`/projects/${project}`, (answer) => settledUploads(answer) === files.length);
  await platform.call('POST', `/projects/${project}/commits`);
  await platform.until(
    `/projects/${project}`,
    ({ head }) => (head as { samples: number } | null)?.samples === files.length,
  );
  return files.length / ((performance.now() - startedAt) / 1000);
}

export const ingest: Bench = async ({ quick, say }) => {
  const count = quick ? 150 : 500;
  const platform = await startBenchPlatform();
  try {
    const { BLOB__serviceUri: uri, BLOB__accountName: name, BLOB__accountKey: key } = platform.settings;
    const service = BlobServiceClient.fromConnectionString(
      `DefaultEndpointsProtocol=http;AccountName=${name};AccountKey=${key};BlobEndpoint=${uri};`,
    );
    const container = service.getContainerClient('bench');
    await container.create();
    const files = await scans(0, count);
    // the first run pays for what every process loads once
    await whole(platform, 'warm-up', files.slice(0, 50));
    const ratios: number[] = [];
    const rates: number[] = [];
    for (let pair = 0; pair < (quick ? 3 : 5); pair++) {
      const alone = await blobOnly(container, files, pair);
      const committed = await whole(platform, `pair-${pair}`, files);
      ratios.push(committed / alone);
      rates.push(committed);
      say(
        `pair ${pair + 1}: ${committed.toFixed(0)} images/s committed, ${alone.toFixed(0)} with blob operations alone`,
      );
    }
    say(`ratios ${spread(ratios)}`);
    return [
      atLeast('ingest-ratio', median(ratios), 'ratio', 0.4),
      figure('ingest-images-per-second', median(rates), 'images/s'),
    ];
  } finally {
    await platform.close();
  }
};
