/** Fixed features: what a part of the served graph that no training changes says of a picture. Computed once for each sample. */
import { createHash } from 'node:crypto';
import { backbone } from '../../shared/onnx/backbone.ts';
import { encodeModel, type ValueInfo } from '../../shared/onnx/encode.ts';
import type { InputShape } from '../../shared/onnx/ends.ts';
import { floatsOf, floatTensor, openGraph } from '../../shared/onnx/engine.ts';
import type { GraphParts } from '../../shared/onnx/parts.ts';
import { embeddingOutput } from '../../shared/task/classification/ends.ts';
import { type Variation, vary } from './augment.ts';
import { describeEdges } from './edges.ts';
import { backboneInput, embed } from './embedding.ts';
import type { Sample } from './evaluate.ts';
import { openFeatureStore } from './feature-store.ts';
import { GraphBuilder, type Value } from './graph-builder.ts';
import type { Rows } from './logistic.ts';
import { backboneMetadata } from './metadata.ts';

export interface Features {
  /** beside the pixels all that the numbers follow from: equal texts, equal numbers */
  version: string;
  /** [1, channels, rows, columns] of 0..255 to [1, size]; there may be more pictures than one when it runs */
  describe(graph: GraphBuilder, pixels: Value): Value;
  /** values made by `describe` that a served model gives out under their names */
  outputs: readonly ValueInfo[];
  /** what a model with these features says of itself */
  metadata: Record<string, string>;
  /** what copies of small pictures are learned from beside them, the first where not all are */
  copies: readonly Variation[];
}

/** The embedding of the pretrained backbone, which sees the picture about `side` pixels long. */
export const embeddingOf = (shape: InputShape, side: number, parts: GraphParts): Features => ({
  version: `embedding ${backbone.sha256} ${backboneInput(shape, side).join('x')}`,
  describe: (graph, pixels) => embed(graph, pixels, side, parts),
  outputs: [{ name: embeddingOutput, shape: ['N', backbone.embeddingSize] }],
  metadata: backboneMetadata,
  copies: [],
});

const plain = { mirrored: false, shiftX: 0, shiftY: 0 };
/** A little turned and of another size: cells even out small shifts, but neither of these. The first two are opposites. */
const turned: Variation[] = [
  { ...plain, degrees: 9, scale: 0.1 },
  { ...plain, degrees: -9, scale: -0.1 },
  { ...plain, degrees: -9, scale: 0.1 },
  { ...plain, degrees: 9, scale: -0.1 },
];

/** Histograms of oriented gradients. */
export const edges: Features = {
  version: 'edges 1',
  describe: describeEdges,
  outputs: [],
  metadata: {},
  copies: turned,
};

/** Larger pictures have no copies: turning them takes its time, and what it gains was measured on small ones. */
const copiedSide = 64;
/** Copies fill up what is learned from to so many rows, 110 MB of edges at 28x28: the more pictures, the less copies add. */
const copiedRows = 12_000;

export interface FeatureOptions {
  threads: number;
  /** folder where features are kept for later trainings; left out: nothing is kept */
  kept?: { folder: string } | undefined;
  /** called after every sample; what it throws ends it */
  afterSample?: ((done: number, total: number) => Promise<void>) | undefined;
}

export interface FeatureTable {
  /** Features of samples, one row each. Each sample is computed once, however often it is asked for. */
  rowsOf(samples: readonly Sample[]): Promise<Rows>;
  /** The same to learn from: rows of samples, then of all their first copies, and so on. */
  rowsWithCopiesOf(samples: readonly Sample[]): Promise<Rows>;
  release(): Promise<void>;
}

/** Of the pixels as they are seen, not of the file: another release may decode the same file to others. */
const digestOf = ({ pixels }: Sample): string =>
  createHash('sha256')
    .update(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength))
    .digest('hex')
    .slice(0, 32);

/** The graph of features alone: `input` to `features`. */
function featureGraph(
  features: Features,
  { channels, height, width }: InputShape,
): { bytes: Uint8Array; size: number } {
  const graph = new GraphBuilder();
  const value = features.describe(graph, { name: 'input', shape: [1, channels, height, width] });
  graph.alias(value, 'features');
  const size = value.shape[1] ?? 0;
  const { nodes, initialisers } = graph;
  const inputs = [{ name: 'input', shape: ['N', channels, height, width] }];
  const outputs = [{ name: 'features', shape: ['N', size] }];
  return { bytes: encodeModel({ name: 'features', nodes, inputs, outputs, initialisers, metadata: {} }), size };
}

/**
 * Opens a table of features. Pictures are looked at one by one: then a row is the same bits whatever else is asked for, and
 * whether it was kept or not.
 */
export async function openFeatures(
  features: Features,
  shape: InputShape,
  { threads, kept, afterSample }: FeatureOptions,
): Promise<FeatureTable> {
  const { bytes, size } = featureGraph(features, shape);
  const session = await openGraph(bytes, threads);
  const seen = `${shape.channels}x${shape.height}x${shape.width}`;
  const store = kept && (await openFeatureStore(kept.folder, `${seen} ${features.version}`, size));
  const known = new Map<Sample, (Float32Array | undefined)[]>();

  const see = async (pixels: Float32Array, name: string): Promise<Float32Array> => {
    const input = floatTensor(pixels, [1, shape.channels, shape.height, shape.width]);
    const row = floatsOf((await session.run({ input }))['features']);
    if (!row.every(Number.isFinite)) throw new Error(`the features of ${name} are no finite numbers`);
    return row;
  };
  const compute = async (sample: Sample): Promise<Float32Array> => {
    const digest = store === undefined ? '' : digestOf(sample);
    const before = await store?.read(digest);
    if (before !== undefined) return before;
    const row = await see(Float32Array.from(sample.pixels), `sample ${sample.md5 ?? ''}`);
    await store?.write(digest, row);
    return row;
  };
  // not kept: a millisecond or two each, and they would push out of the store what takes longer
  const computeCopy = (sample: Sample, variation: Variation): Promise<Float32Array> => {
    const pixels = new Float32Array(sample.pixels.length);
    vary(pixels, 0, sample.pixels, shape, variation);
    return see(pixels, `a copy of sample ${sample.md5 ?? ''}`);
  };

  const rowsOf = async (samples: readonly Sample[], copies: readonly Variation[]): Promise<Rows> => {
    const versions = [undefined, ...copies];
    const total = versions.length * samples.length;
    const values = new Float32Array(total * size);
    let done = 0;
    for (const [version, variation] of versions.entries()) {
      for (const sample of samples) {
        const rows = known.get(sample) ?? [];
        const row = rows[version] ?? (await (variation ? computeCopy(sample, variation) : compute(sample)));
        rows[version] = row;
        known.set(sample, rows);
        values.set(row, done * size);
        done++;
        await afterSample?.(done, total);
      }
    }
    return { values, size, labels: versions.flatMap(() => samples.map(({ label }) => label)) };
  };

  return {
    rowsOf: (samples) => rowsOf(samples, []),
    rowsWithCopiesOf(samples) {
      const isSmall = Math.max(shape.height, shape.width) <= copiedSide;
      const most = isSmall ? Math.max(0, Math.floor(copiedRows / samples.length) - 1) : 0;
      return rowsOf(samples, features.copies.slice(0, most));
    },
    async release() {
      await session.release();
      await store?.trim();
    },
  };
}
