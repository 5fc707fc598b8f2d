/** The samples of a classifier: tensors with labels. */
import { toTensor } from '../../shared/image/tensor.ts';
import { classifierLine } from '../../shared/task/classification/manifest.ts';
import type { JobDocument } from '../../shared/training/job-contract.ts';
import type { Sample } from './evaluate.ts';
import { type ReadingEvents, readManifest, readSamples } from './samples.ts';

export interface Dataset {
  train: Sample[];
  validation: Sample[];
  /** of the validation samples, in order */
  validationMd5: string[];
}

/** all tensors are in memory during training */
const maxTensorBytes = 4 * 1024 ** 3;

/**
 * Downloads and decodes all samples, in the manifest's order; those that cannot be read are told and left out. Throws when
 * they do not fit in memory, have other classes, or are more than a job may leave out.
 */
export async function readDataset(job: JobDocument, events: ReadingEvents): Promise<Dataset> {
  const lines = await readManifest(job, classifierLine);
  const { width, height, channels } = job.image;
  // whole numbers of 0 to 255, unless they are stretched to what is found
  const Pixels = job.image.range === 'found' ? Float32Array : Uint8Array;
  const tensorBytes = lines.length * width * height * channels * Pixels.BYTES_PER_ELEMENT;
  if (tensorBytes > maxTensorBytes) {
    throw new Error(`${lines.length} images of ${width}x${height}x${channels} do not fit into ${maxTensorBytes} bytes`);
  }
  const classIndex = new Map(job.classes.map((name, index) => [name, index]));
  const other = lines.find(({ label }) => !classIndex.has(label));
  if (other !== undefined) throw new Error(`the manifest has the label ${other.label}, which is no class of the job`);
  const samples = await readSamples(
    lines,
    {
      decode: (bytes) => toTensor(bytes, job.image),
      keep: (pixels, { label, md5 }) =>
        Promise.resolve({ pixels: Pixels.from(pixels), label: classIndex.get(label) ?? 0, md5 }),
    },
    events,
  );
  const dataset: Dataset = { train: [], validation: [], validationMd5: [] };
  lines.forEach((line, index) => {
    const sample = samples[index];
    if (sample === undefined) return;
    dataset[line.split].push(sample);
    if (line.split === 'validation') dataset.validationMd5.push(line.md5);
  });
  return dataset;
}
