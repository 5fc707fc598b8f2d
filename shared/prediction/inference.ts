/** Decode and inference as async functions, so that a simulator can replace them. */
import { type Budget, createBudget } from '../budget.ts';
import { maxImageBytes } from '../image/size.ts';
import type { ModelEnds, NamedTensors } from '../onnx/ends.ts';
import type { Blobs } from '../ports.ts';

/** What the model of a digest answers for each image, in order. */
export type Infer = (
  digest: string,
  load: () => Promise<Buffer>,
  images: Float32Array[],
  ends: ModelEnds,
) => Promise<NamedTensors[]>;

export interface Inference {
  toTensor: (bytes: Buffer, spec: { width: number; height: number; channels: 1 | 3 }) => Promise<Float32Array>;
  infer: Infer;
  /** Bytes of samples that the process holds at a time to make inputs of them; left out: each call has its own budget. */
  sampleBytes?: Budget;
}

/** A budget of samples: one of the largest fits. */
export const createSampleBudget = (): Budget => createBudget(maxImageBytes);

/**
 * Reads the bytes of a sample and holds them while `use` works, within a budget. `sizeBytes` is their number where it is
 * known. Resolves to undefined when they cannot be read.
 */
export async function withSample<T>(
  { blobs, budget }: { blobs: Blobs; budget: Budget },
  { name, sizeBytes = maxImageBytes }: { name: string; sizeBytes?: number },
  use: (bytes: Buffer) => Promise<T>,
): Promise<T | undefined> {
  const release = await budget.take(sizeBytes);
  try {
    const found = await blobs.get('datasets', name, { maxBytes: maxImageBytes });
    return found === undefined || found === 'too-large' ? undefined : await use(found.body);
  } finally {
    release();
  }
}
