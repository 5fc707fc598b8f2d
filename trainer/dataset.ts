/** Fetches the samples a manifest lists. */
import { createHash } from 'node:crypto';
import { toTensor } from '../shared/image/tensor.ts';
import { manifestLine } from '../shared/training/job-contract.ts';
import type { JobDocument, ManifestLine } from '../shared/training/job-contract.ts';
import type { Sample } from './evaluate.ts';
import { get } from './http.ts';

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

/** The manifest's lines, which must name known classes and fit in memory as tensors. */
async function readManifest(job: JobDocument): Promise<ManifestLine[]> {
  const text = (await get(job.manifestUrl, maxManifestBytes)).toString('utf8');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const { width, height, channels } = job.image;
  const tensorBytes = lines.length * width * height * channels * Float32Array.BYTES_PER_ELEMENT;
  if (tensorBytes > maxTensorBytes) {
    throw new Error(`${lines.length} images of ${width}x${height}x${channels} do not fit into ${maxTensorBytes} bytes`);
  }
  return lines.map((line) => manifestLine.parse(JSON.parse(line)));
}

async function readSample(line: ManifestLine, job: JobDocument, classIndex: Map<string, number>): Promise<Sample> {
  const label = classIndex.get(line.label);
  if (label === undefined) throw new Error(`the manifest has the label ${line.label}, which is no class of the job`);
  const bytes = await get(line.url, maxImageBytes);
  const md5 = createHash('md5').update(bytes).digest('hex');
  if (md5 !== line.md5) throw new Error(`image ${line.md5} arrived as ${md5}`);
  return { pixels: await toTensor(bytes, job.image), label };
}

/** Downloads and decodes all samples, in the manifest's order. Throws at the first that is not what the manifest says. */
export async function readDataset(
  job: JobDocument,
  afterImage: (done: number, total: number) => Promise<void>,
): Promise<Dataset> {
  const lines = await readManifest(job);
  const classIndex = new Map(job.classes.map((name, index) => [name, index]));
  const samples = Array<Sample | undefined>(lines.length);
  // one iterator for all workers: each takes the next line
  const queue = lines.entries();
  let done = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    for (const [index, line] of queue) {
      if (failed) return;
      samples[index] = await readSample(line, job, classIndex);
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
