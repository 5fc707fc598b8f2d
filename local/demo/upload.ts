/** Uploads as an app makes them, and following what became of them. */
import pMap from 'p-map';
import * as z from 'zod';
import { uploadView } from '../../shared/api/views/dataset.ts';
import { type Client, putToStorage } from './client.ts';
import type { Narrator } from './narrator.ts';
import type { OddFile } from './odd-files.ts';
import type { Picture } from './pictures.ts';
import { waitFor } from './wait.ts';

/** URLs asked for at once; the API takes up to 1,000 */
const urlsPerRequest = 250;
const uploadsAtOnce = 12;
const settleLimitSeconds = 120;
/** for large folders: the slowest machine that we know ingests more than ten a second */
const settleSecondsPerFile = 0.1;

const uploadUrls = z.object({
  value: z.array(z.object({ blob: z.string(), url: z.string(), headers: z.record(z.string(), z.string()) })),
});
const uploadCounts = z.object({
  received: z.number(),
  accepted: z.number(),
  duplicate: z.number(),
  conflict: z.number(),
  unlabelled: z.number(),
  quarantined: z.number(),
  superseded: z.number(),
});
const projectShape = z.object({ counts: z.object({ uploads: uploadCounts }) });

/** An odd file and the blob that it became. */
export interface OddUpload {
  file: OddFile;
  blob: string;
}

type UploadSummary = z.infer<typeof uploadCounts>;

/** Uploads pictures through upload URLs and plain PUTs; resolves with their blob names, in order. */
export async function upload(
  client: Client,
  narrator: Narrator,
  project: string,
  pictures: Picture[],
): Promise<string[]> {
  const blobs: string[] = [];
  let done = 0;
  for (let from = 0; from < pictures.length; from += urlsPerRequest) {
    const batch = pictures.slice(from, from + urlsPerRequest);
    const files = batch.map(({ name, label, contentType }) => ({ name, label, contentType }));
    const { value } = await client.send('POST', `/projects/${project}/upload-urls`, { files }, uploadUrls);
    if (value.length !== batch.length) throw new Error(`Expected ${batch.length} upload URLs; seen: ${value.length}`);
    const work = batch.map((picture, i) => ({ picture, target: value[i] }));
    await pMap(
      work,
      async ({ picture, target }) => {
        if (target === undefined) return;
        await putToStorage(target.url, target.headers, await picture.bytes());
        narrator.progress('uploading', (done += 1), pictures.length);
      },
      { concurrency: uploadsAtOnce },
    );
    blobs.push(...value.map(({ blob }) => blob));
  }
  return blobs;
}

/** How many uploads of a project ended in each outcome. */
export const summaryOf = async (client: Client, project: string): Promise<UploadSummary> =>
  (await client.get(`/projects/${project}`, projectShape)).body.counts.uploads;

/** Waits until so many uploads have an outcome; resolves with how many have each. */
export function settled(client: Client, narrator: Narrator, project: string, uploads: number): Promise<UploadSummary> {
  const limitSeconds = settleLimitSeconds + Math.ceil(uploads * settleSecondsPerFile);
  return waitFor({ expected: `an outcome of all ${uploads} uploads`, limitSeconds }, async () => {
    const summary = await summaryOf(client, project);
    const { received, ...outcomes } = summary;
    const done = Object.values(outcomes).reduce((a, b) => a + b, 0);
    narrator.progress('ingesting', done, uploads, `${summary.quarantined} quarantined`);
    return done >= uploads ? { found: summary } : { seen: `${done} with an outcome, ${received} received` };
  });
}

/** Reads what became of the upload of a blob; waits for it, `limitSeconds` at most. */
export async function outcomeOf(
  client: Client,
  project: string,
  blob: string,
  limitSeconds = settleLimitSeconds,
): Promise<z.infer<typeof uploadView>> {
  const path = `/projects/${project}/uploads?blob=${encodeURIComponent(blob)}`;
  const page = z.object({ value: z.array(uploadView) });
  return waitFor({ expected: `an outcome of the upload ${blob}`, limitSeconds }, async () => {
    const { body } = await client.get(path, page);
    const found = body.value[0];
    if (found === undefined) return { seen: 'nothing by that name yet' };
    return found.outcome === 'received' ? { seen: 'received' } : { found };
  });
}

/** Says what became of each odd file. Throws when one ended otherwise than it should. */
export async function checkOddFiles(
  client: Client,
  narrator: Narrator,
  project: string,
  odd: OddUpload[],
): Promise<void> {
  if (odd.length > 0) narrator.say('what became of the odd files:');
  for (const { file, blob } of odd) {
    const { outcome, reason } = await outcomeOf(client, project, blob);
    narrator.say(`  ${file.what}: ${outcome}${reason === null ? '' : ` (${reason.code}: ${reason.detail})`}`);
    if (outcome !== file.expected)
      throw new Error(`Expected the file "${file.what}" to be ${file.expected}; seen: ${outcome}`);
    if (outcome === 'quarantined' && reason === null) {
      throw new Error(`Expected a reason why "${file.what}" is quarantined; seen: none`);
    }
  }
}
