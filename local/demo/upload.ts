/** Uploads as an app makes them, and following what became of them. */
import pMap from 'p-map';
import type { Client } from '../../client/client.ts';
import { getProject, type ProjectStatus } from '../../client/projects.ts';
import { findUpload, putToStorage, requestUploadUrls, type Upload } from '../../client/uploads.ts';
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

/** A picture, which need not say what it shows. */
type Uploadable = Omit<Picture, 'label'> & { label?: string };

/** An odd file and the blob that it became. */
export interface OddUpload {
  file: OddFile;
  blob: string;
}

type UploadSummary = ProjectStatus['counts']['uploads'];

/** Uploads pictures through upload URLs and plain PUTs; resolves with their blob names, in order. */
export async function upload(
  client: Client,
  narrator: Narrator,
  project: string,
  pictures: Uploadable[],
): Promise<string[]> {
  const blobs: string[] = [];
  let done = 0;
  for (let from = 0; from < pictures.length; from += urlsPerRequest) {
    const batch = pictures.slice(from, from + urlsPerRequest);
    const files = batch.map(({ name, label, contentType }) => ({
      ...{ name, contentType },
      ...(label === undefined ? {} : { label }),
    }));
    const urls = await requestUploadUrls(client, project, files);
    const work = batch.map((picture, i) => ({ picture, target: urls[i] }));
    await pMap(
      work,
      async ({ picture, target }) => {
        if (target === undefined) return;
        await putToStorage(target.url, target.headers, await picture.bytes());
        narrator.progress('uploading', (done += 1), pictures.length);
      },
      { concurrency: uploadsAtOnce },
    );
    blobs.push(...urls.map(({ blob }) => blob));
  }
  return blobs;
}

/** How many uploads of a project ended in each outcome. */
export const summaryOf = async (client: Client, project: string): Promise<UploadSummary> =>
  (await getProject(client, project)).body.counts.uploads;

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
): Promise<Upload> {
  return waitFor({ expected: `an outcome of the upload ${blob}`, limitSeconds }, async () => {
    const found = await findUpload(client, project, blob);
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
