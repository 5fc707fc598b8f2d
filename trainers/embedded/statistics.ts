/**
 * What batch norms see with given weights, measured over training images as they are. A running average kept during
 * training lags behind the weights, and small trainings then collapse at export.
 */
import { floatsOf, floatTensor, openGraph, type Tensor } from '../../shared/onnx/engine.ts';
import type { ClassifierShape } from '../../shared/task/classification/ends.ts';
import type { Architecture } from './architectures.ts';
import type { Sample } from './evaluate.ts';
import { statisticsGraph } from './graphs.ts';
import type { Weights } from './network.ts';

/** numbers per batch that keep memory modest, some hundred megabytes with all activations */
const maxBatchValues = 1 << 20;
const maxBatches = 4;

export interface StatisticsMeter {
  measure(parameters: Tensor): Promise<Weights>;
  release(): Promise<void>;
}

/** The mean of batch means, and the variance over all batches: mean of squares less square of the mean. */
function pool(batches: { mean: Float32Array; variance: Float32Array }[]): {
  mean: Float32Array;
  variance: Float32Array;
} {
  const channels = batches[0]?.mean.length ?? 0;
  const mean = new Float32Array(channels);
  const square = new Float64Array(channels);
  for (const batch of batches) {
    for (let i = 0; i < channels; i++) {
      const value = batch.mean[i] ?? 0;
      mean[i] = (mean[i] ?? 0) + value / batches.length;
      square[i] = (square[i] ?? 0) + ((batch.variance[i] ?? 0) + value ** 2) / batches.length;
    }
  }
  return { mean, variance: mean.map((value, i) => Math.max(0, (square[i] ?? 0) - value ** 2)) };
}

/** `samples` are in random order: the first ones are measured. */
export async function createStatisticsMeter(
  architecture: Architecture,
  spec: ClassifierShape,
  samples: readonly Sample[],
  batchNorms: string[],
  threads: number,
): Promise<StatisticsMeter> {
  const size = spec.channels * spec.height * spec.width;
  const batch = Math.min(samples.length, Math.max(8, Math.floor(maxBatchValues / size)));
  const batches = Math.min(maxBatches, Math.floor(samples.length / batch));
  const session = await openGraph(statisticsGraph(architecture, spec, batch), threads);
  const inputs = Array.from({ length: batches }, (_, index) => {
    const pixels = new Float32Array(batch * size);
    samples.slice(index * batch, (index + 1) * batch).forEach((sample, i) => pixels.set(sample.pixels, i * size));
    return floatTensor(pixels, [batch, spec.channels, spec.height, spec.width]);
  });
  return {
    async measure(parameters) {
      const seen = new Map<string, { mean: Float32Array; variance: Float32Array }[]>(
        batchNorms.map((name) => [name, []]),
      );
      for (const pixels of inputs) {
        const outputs = await session.run({ parameters, pixels });
        for (const [name, list] of seen) {
          list.push({ mean: floatsOf(outputs[`${name}.mean`]), variance: floatsOf(outputs[`${name}.variance`]) });
        }
      }
      const statistics: Weights = new Map();
      for (const [name, list] of seen) {
        const { mean, variance } = pool(list);
        statistics.set(`${name}.mean`, mean).set(`${name}.variance`, variance);
      }
      return statistics;
    },
    release: () => session.release(),
  };
}
