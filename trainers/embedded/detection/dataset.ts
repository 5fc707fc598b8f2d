/** The samples of a detector: maps of the backbone, and boxes. */
import { toPlacedTensor } from '../../../shared/image/tensor.ts';
import { type Placement, toInput } from '../../../shared/image/placement.ts';
import type { GraphParts } from '../../../shared/onnx/parts.ts';
import type { AnnotatedBox } from '../../../shared/task/detection/annotation.ts';
import { detectorLine } from '../../../shared/task/detection/manifest.ts';
import type { JobDocument } from '../../../shared/training/job-contract.ts';
import { createRandom } from '../random.ts';
import type { DetectorRecipe } from '../recipes.ts';
import { type ReadingEvents, readManifest, readSamples } from '../samples.ts';
import { copyOf, type Picture } from './copies.ts';
import type { Held, Taught } from './fit.ts';
import { copiesThatFit, createMapMaker, type KeptMaps } from './maps.ts';
import type { TargetBox } from './targets.ts';

/** A validation picture whose pixels are kept: what is exported is tried on it. */
export interface Tried extends Held {
  md5: string;
  pixels: Float32Array;
}

export interface Dataset {
  /** training pictures, each followed by its copies */
  taught: Taught[];
  /** training pictures */
  pictures: number;
  /** of each */
  copies: number;
  validation: Held[];
  /** the first ones */
  tried: Tried[];
}

/** pixels that are kept in memory, a megabyte each at 320 x 320 */
const mostTried = 16;

type Line = ReturnType<typeof detectorLine.parse>;

/** Boxes in pixels of the input, with the index of their class. Throws where a class is none of the job. */
function targetsOf(boxes: readonly AnnotatedBox[], placement: Placement, classIndex: Map<string, number>): TargetBox[] {
  return boxes.map(({ class: name, x, y, width, height, crowd }) => {
    const label = classIndex.get(name);
    if (label === undefined) throw new Error(`the manifest has a box of ${name}, which is no class of the job`);
    const from = toInput(placement, { x, y });
    const to = toInput(placement, { x: x + width, y: y + height });
    return { label, x1: from.x, y1: from.y, x2: to.x, y2: to.y, ignored: crowd === true };
  });
}

const annotationOf = ({ boxes }: Line): { boxes: AnnotatedBox[] } => ({
  boxes: boxes.map(({ crowd, ...box }) => (crowd === true ? { ...box, crowd } : box)),
});

/**
 * Downloads all samples and computes what the backbone sees in them; those that cannot be read are told and left out. Throws
 * when even without copies there is no room for what is kept, or more cannot be read than a job may leave out.
 */
export async function readDataset(
  job: JobDocument,
  parts: GraphParts,
  options: Pick<DetectorRecipe, 'copies' | 'zoom' | 'shift' | 'flip'> & { threads: number },
  events: ReadingEvents,
): Promise<Dataset> {
  const lines = await readManifest(job, detectorLine);
  const { image: input } = job;
  const inSplit = (split: Line['split']): number => lines.filter((line) => line.split === split).length;
  const samples = { train: inSplit('train'), validation: inSplit('validation') };
  const copies = copiesThatFit(samples, options.copies, input);
  const classIndex = new Map(job.classes.map((name, index) => [name, index]));
  const isTried = new Set(lines.filter(({ split }) => split === 'validation').slice(0, mostTried));
  const maker = await createMapMaker(parts, input, options.threads);
  try {
    const kept = await readSamples(
      lines,
      {
        decode: (bytes) => toPlacedTensor(bytes, input),
        keep: async ({ pixels, placement }, line) => {
          const annotation = annotationOf(line);
          const original: Picture = { pixels, boxes: targetsOf(annotation.boxes, placement, classIndex) };
          // a picture has the same copies whenever it arrives
          const random = createRandom(job.seed ^ Number.parseInt(line.md5.slice(0, 8), 16));
          const wanted = line.split === 'train' ? copies : 0;
          const all = [original, ...Array.from({ length: wanted }, () => copyOf(original, input, options, random))];
          const maps = await maker.mapsOf(all.map((one) => one.pixels));
          const taught = all.map(({ boxes }, i): Taught => ({ maps: maps[i] as KeptMaps, boxes }));
          return { taught, shown: { annotation, placement }, ...(isTried.has(line) ? { pixels } : {}) };
        },
      },
      events,
    );
    const dataset: Dataset = { taught: [], pictures: 0, copies, validation: [], tried: [] };
    lines.forEach(({ split, md5 }, index) => {
      const sample = kept[index];
      const [first] = sample?.taught ?? [];
      if (sample === undefined || first === undefined) return;
      if (split === 'train') {
        dataset.taught.push(...sample.taught);
        dataset.pictures++;
        return;
      }
      const held = { maps: first.maps, shown: sample.shown };
      dataset.validation.push(held);
      if (sample.pixels !== undefined) dataset.tried.push({ ...held, md5, pixels: sample.pixels });
    });
    return dataset;
  } finally {
    await maker.release();
  }
}
