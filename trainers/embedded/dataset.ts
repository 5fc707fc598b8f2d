/** Fetches the samples a manifest lists. */
import { createHash } from 'node:crypto';
import { toTensor } from '../../shared/image/tensor.ts';
import { classifierLine, type ClassifierLine } from '../../shared/task/classification/manifest.ts';
import { maxUnreadable, type JobDocument, type Unreadable } from '../../shared/training/job-contract.ts';
import type { Sample } from './evaluate.ts';
import { get, HttpError } from './http.ts';

export interface Dataset {
  train: Sample[];
  validation: Sample[];
  /** of the validation samples, in order */
  validationMd5: string[];
}

const maxManifestBytes = 256 * 1024 * 1024;
const maxImageBytes = 64 * 1024 * 1024;
/** all tensors are in memory during training */
const maxTensorBytes = 4 * 1024 ** 3;
const concurrentDownloads = 8;
/** answers of storage that another try does not change: the blob is gone, or too large to be a sample */
const isOfTheSample = new Set([404, 410, 413]);

/** The manifest's lines, which must name known classes and fit in memory as tensors. */
async function readManifest(job: JobDocument): Promise<ClassifierLine[]> {
  const text = (await get(job.manifestUrl, maxManifestBytes)).toString('utf8');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const { width, height, channels } = job.image;
  const tensorBytes = lines.length * width * height * channels * Float32Array.BYTES_PER_ELEMENT;
  if (tensorBytes > maxTensorBytes) {
    throw new Error(`${lines.length} images of ${width}x${height}x${channels} do not fit into ${maxTensorBytes} bytes`);
  }
  return lines.map((line) => classifierLine.parse(JSON.parse(line)));
}

/** One sample, or why it is none. Throws where storage does not answer: that says nothing about the sample. */
async function readSample(
  line: ClassifierLine,
  job: JobDocument,
  classIndex: Map<string, number>,
): Promise<Sample | string> {
  const label = classIndex.get(line.label);
  if (label === undefined) throw new Error(`the manifest has the label ${line.label}, which is no class of the job`);
  let bytes: Buffer;
  try {
    bytes = await get(line.url, maxImageBytes);
  } catch (error) {
    if (error instanceof HttpError && isOfTheSample.has(error.status)) return `its address: ${error.message}`;
    throw error;
  }
  const md5 = createHash('md5').update(bytes).digest('hex');
  if (md5 !== line.md5) return `it arrived with the MD5 ${md5}`;
  try {
    return { pixels: await toTensor(bytes, job.image), label };
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 300) || 'unknown' : 'unknown';
  }
}

function tooMany(unreadable: readonly Unreadable[], samples: number): Error {
  const named = unreadable.slice(0, 3).map(({ md5, reason }) => `${md5} (${reason})`);
  return new Error(
    `${unreadable.length} and maybe more of ${samples} samples cannot be read, more than 1 %: ${named.join(', ')}`,
  );
}

export interface ReadingEvents {
  afterImage: (done: number, total: number) => Promise<void>;
  /** a sample is left out, for this reason */
  unreadable: (sample: Unreadable) => void;
}

/**
 * Downloads and decodes all samples, in the manifest's order; those that cannot be read are told and left out. Throws when
 * they are more than a job may leave out (`maxUnreadable`).
 */
export async function readDataset(job: JobDocument, { afterImage, unreadable }: ReadingEvents): Promise<Dataset> {
  const lines = await readManifest(job);
  const classIndex = new Map(job.classes.map((name, index) => [name, index]));
  const samples = Array<Sample | undefined>(lines.length);
  const leftOut: Unreadable[] = [];
  // one iterator for all workers: each takes the next line
  const queue = lines.entries();
  let done = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    for (const [index, line] of queue) {
      if (failed) return;
      const read = await readSample(line, job, classIndex);
      if (typeof read === 'string') {
        leftOut.push({ md5: line.md5, reason: read });
        unreadable({ md5: line.md5, reason: read });
        if (leftOut.length > maxUnreadable(lines.length)) throw tooMany(leftOut, lines.length);
      } else samples[index] = read;
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
  const dataset: Dataset = { train: [], validation: [], validationMd5: [] };
  lines.forEach((line, index) => {
    const sample = samples[index];
    if (sample === undefined) return;
    dataset[line.split].push(sample);
    if (line.split === 'validation') dataset.validationMd5.push(line.md5);
  });
  return dataset;
}
