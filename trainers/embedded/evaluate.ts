/** Scores samples with the served network. */
import { floatsOf, floatTensor, openGraph, type GraphSession, type Tensor } from '../../shared/onnx/engine.ts';
import type { ClassifierShape } from '../../shared/task/classification/ends.ts';

/** One image: CHW numbers 0..255, and the index of its class. */
export interface Sample {
  pixels: Float32Array | Uint8Array;
  label: number;
  /** of the file that it was read from */
  md5?: string;
}

const batchSize = 64;

/** Probabilities of every sample, one row of `spec.classes` each; `extra` feeds are given to every run. */
export async function probabilitiesOf(
  session: GraphSession,
  samples: readonly Sample[],
  spec: ClassifierShape,
  extra: Record<string, Tensor>,
): Promise<Float32Array> {
  const size = spec.channels * spec.height * spec.width;
  const all = new Float32Array(samples.length * spec.classes);
  for (let at = 0; at < samples.length; at += batchSize) {
    const part = samples.slice(at, at + batchSize);
    const pixels = new Float32Array(part.length * size);
    part.forEach((sample, i) => pixels.set(sample.pixels, i * size));
    const input = floatTensor(pixels, [part.length, spec.channels, spec.height, spec.width]);
    all.set(floatsOf((await session.run({ ...extra, input }))['probabilities']), at * spec.classes);
  }
  return all;
}

/** Share of right answers, and mean cross entropy, of rows of probabilities. Both are 0 without samples. */
export function accuracyAndLoss(
  probabilities: Float32Array,
  samples: readonly Pick<Sample, 'label'>[],
  classes: number,
): { accuracy: number; loss: number } {
  let right = 0;
  let loss = 0;
  samples.forEach(({ label }, i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    const own = row[label] ?? 0;
    if (row.every((value, other) => value < own || other === label)) right++;
    // a probability can round to zero: the bound keeps one sample from making the mean infinite
    loss -= Math.log(Math.max(own, 1e-12));
  });
  const count = Math.max(1, samples.length);
  return { accuracy: right / count, loss: loss / count };
}

/** Probabilities that a finished model file gives. */
export async function scoreModel(
  bytes: Uint8Array,
  samples: readonly Sample[],
  spec: ClassifierShape,
  threads: number,
): Promise<Float32Array> {
  const session = await openGraph(bytes, threads);
  try {
    return await probabilitiesOf(session, samples, spec, {});
  } finally {
    await session.release();
  }
}
