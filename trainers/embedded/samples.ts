/** Fetches and decodes the samples that a manifest lists, whatever they show. */
import { createHash } from 'node:crypto';
import type * as z from 'zod';
import {
  maxUnreadable,
  type JobDocument,
  type manifestLine,
  type Unreadable,
} from '../../shared/training/job-contract.ts';
import { get, HttpError } from './http.ts';

const maxManifestBytes = 256 * 1024 * 1024;
const maxImageBytes = 64 * 1024 * 1024;
const concurrentDownloads = 8;
/** answers of storage that another try does not change: the blob is gone, or too large to be a sample */
const isOfTheSample = new Set([404, 410, 413]);

type ManifestLine = z.infer<typeof manifestLine>;

/** The manifest's lines, in the form of a task kind. Throws where one has another form. */
export async function readManifest<Line extends ManifestLine>(
  job: JobDocument,
  line: z.ZodType<Line>,
): Promise<Line[]> {
  const text = (await get(job.manifestUrl, maxManifestBytes)).toString('utf8');
  const lines = text.split('\n').filter((one) => one.trim() !== '');
  return lines.map((one) => line.parse(JSON.parse(one)));
}

/** The bytes of a sample, or why it has none. Throws where storage does not answer: that says nothing about the sample. */
async function fetchSample(line: ManifestLine): Promise<Buffer | string> {
  let bytes: Buffer;
  try {
    bytes = await get(line.url, maxImageBytes);
  } catch (error) {
    if (error instanceof HttpError && isOfTheSample.has(error.status)) return `its address: ${error.message}`;
    throw error;
  }
  const md5 = createHash('md5').update(bytes).digest('hex');
  return md5 === line.md5 ? bytes : `it arrived with the MD5 ${md5}`;
}

function tooMany(unreadable: readonly Unreadable[], samples: number): Error {
  const named = unreadable.slice(0, 3).map(({ md5, reason }) => `${md5} (${reason})`);
  return new Error(
    `${unreadable.length} and maybe more of ${samples} samples cannot be read, more than 1 %: ${named.join(', ')}`,
  );
}

/** What a trainer makes of a sample. */
export interface SampleReading<Line, Decoded, Kept> {
  /** what it throws is told as the reason why the sample is left out */
  decode: (bytes: Buffer, line: Line) => Promise<Decoded>;
  /** what it throws ends the training */
  keep: (decoded: Decoded, line: Line) => Promise<Kept>;
}

export interface ReadingEvents {
  afterImage: (done: number, total: number) => Promise<void>;
  /** a sample is left out, for this reason */
  unreadable: (sample: Unreadable) => void;
}

/**
 * Downloads and decodes all samples; resolves with what is kept of each, in the manifest's order, undefined for those that
 * cannot be read, which are told. Throws when these are more than a job may leave out (`maxUnreadable`).
 */
export async function readSamples<Line extends ManifestLine, Decoded, Kept>(
  lines: readonly Line[],
  { decode, keep }: SampleReading<Line, Decoded, Kept>,
  { afterImage, unreadable }: ReadingEvents,
): Promise<(Kept | undefined)[]> {
  const samples = Array<Kept | undefined>(lines.length).fill(undefined);
  const leftOut: Unreadable[] = [];
  // one iterator for all workers: each takes the next line
  const queue = lines.entries();
  let done = 0;
  let failed = false;
  const leaveOut = (sample: Unreadable): void => {
    leftOut.push(sample);
    unreadable(sample);
    if (leftOut.length > maxUnreadable(lines.length)) throw tooMany(leftOut, lines.length);
  };
  const work = async (): Promise<void> => {
    for (const [index, line] of queue) {
      if (failed) return;
      const bytes = await fetchSample(line);
      const decoded = typeof bytes === 'string' ? new Error(bytes) : await decode(bytes, line).catch(reasonOf);
      if (decoded instanceof Error) leaveOut({ md5: line.md5, reason: decoded.message });
      else samples[index] = await keep(decoded, line);
      done++;
      await afterImage(done, lines.length);
    }
  };
  const workers = Array.from({ length: concurrentDownloads }, async () => {
    try {
      await work();
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  await Promise.all(workers);
  return samples;
}

const maxReasonLength = 300;

const reasonOf = (error: unknown): Error =>
  new Error((error instanceof Error ? error.message : '').slice(0, maxReasonLength) || 'unknown');
