/** Scoring the pictures of one part. */
import pMap from 'p-map';
import type { Budget } from '../budget.ts';
import { RetryLater, TerminalError } from '../errors.ts';
import type { PreprocessedImage } from '../image/decode.ts';
import { placementOf } from '../image/placement.ts';
import { maxImageBytes } from '../image/size.ts';
import { imagesPerRun } from '../onnx/batch.ts';
import type { NamedTensors } from '../onnx/ends.ts';
import { loadModel } from '../model/artifact.ts';
import type { ModelDocument } from '../model/document.ts';
import { isAddressable } from '../names.ts';
import type { Blobs } from '../ports.ts';
import { createSampleBudget, type Inference } from '../prediction/inference.ts';
import type { ScorePorts } from '../prediction/score.ts';
import { taskOf } from '../task/task.ts';
import type { BatchPicture } from './pictures.ts';
import type { BatchLine } from './results.ts';

export interface ScorePartPorts extends Pick<Inference, 'infer' | 'sampleBytes'>, Pick<ScorePorts, 'preprocess'> {
  blobs: Blobs;
}

const readAtOnce = 8;
const maxErrorLength = 300;

type Read = { image: PreprocessedImage } | { error: string };
const tooLarge: Read = { error: `it has more than ${maxImageBytes / 1024 / 1024} MB` };

/** What the model says of each picture, in order. Rejects with RetryLater where that cannot be known now. */
export async function scorePart(
  ports: ScorePartPorts,
  model: ModelDocument,
  pictures: BatchPicture[],
): Promise<BatchLine[]> {
  const budget = ports.sampleBytes ?? createSampleBudget();
  const lines: BatchLine[] = [];
  // in memory at a time: as many as a model runs at once, and at least those that are read
  const atOnce = Math.max(readAtOnce, imagesPerRun(model.image));
  for (let at = 0; at < pictures.length; at += atOnce) {
    const group = pictures.slice(at, at + atOnce);
    const read = await pMap(group, (picture) => readPicture(ports, budget, model, picture), {
      concurrency: readAtOnce,
    });
    lines.push(...(await answer(ports, model, group, read)));
  }
  return lines;
}

async function readPicture(
  { blobs, preprocess }: ScorePartPorts,
  budget: Budget,
  model: ModelDocument,
  { container, name, sizeBytes }: BatchPicture,
): Promise<Read> {
  if (sizeBytes > maxImageBytes) return tooLarge;
  if (!isAddressable(name)) return { error: 'its name means another file: it has a backslash, or a part "." or ".."' };
  const release = await budget.take(sizeBytes);
  try {
    // a file that is written over meanwhile may have grown
    const found = await blobs.get(container, name, { maxBytes: Math.max(1, sizeBytes) });
    if (found === undefined) return { error: 'it is not there any more' };
    if (found === 'too-large') return { error: 'it was written over while it was to be read' };
    const image = await preprocess(found.body, found.contentType, model.image);
    return image.ok ? { image } : { error: image.detail };
  } catch (error) {
    if (error instanceof TerminalError) return { error: error.message };
    throw error;
  } finally {
    release();
  }
}

async function answer(
  { blobs, infer }: ScorePartPorts,
  model: ModelDocument,
  group: BatchPicture[],
  read: Read[],
): Promise<BatchLine[]> {
  const kind = taskOf(model);
  const { pk, digest, classes, image: spec, metadata = {} } = model;
  const images = read.flatMap((one) => ('image' in one ? [one.image] : []));
  const run = (tensors: Float32Array[]): Promise<NamedTensors[]> =>
    infer(digest, () => loadOrLater(blobs, pk, digest), tensors, kind.ends(classes, spec));
  const outputs = images.length === 0 ? [] : await run(images.map(({ tensor }) => tensor)).catch(sayWhy);
  let answered = 0;
  return group.map(({ picture }, i) => {
    const one = read[i];
    if (one === undefined || 'error' in one) return failed(picture, one?.error ?? '');
    if ('problem' in outputs) return failed(picture, outputs.problem);
    const placement = placementOf(one.image, spec);
    const prediction = kind.decode({ outputs: outputs[answered++] ?? {}, classes, metadata, placement });
    return prediction === null
      ? failed(picture, kind.noAnswer)
      : { picture, prediction: { ...prediction }, error: null };
  });
}

/** A model that cannot be read now is no fault of the pictures, whatever the reason: they would fail for good. */
async function loadOrLater(blobs: Blobs, project: string, digest: string): Promise<Buffer> {
  try {
    return await loadModel(blobs, project, digest);
  } catch (error) {
    if (error instanceof RetryLater) throw error;
    throw new RetryLater(`model ${digest} of ${project} cannot be read: ${(error as Error).message}`);
  }
}

/** A model that cannot be run on these pictures fails them; a store that does not answer is tried again. */
function sayWhy(error: unknown): { problem: string } {
  if (error instanceof RetryLater) throw error;
  return { problem: error instanceof Error ? error.message : 'the model could not be run' };
}

const failed = (picture: string, error: string): BatchLine => ({
  ...{ picture, prediction: null, error: error.slice(0, maxErrorLength) },
});
