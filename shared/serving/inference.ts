/** Decode and inference as async functions, so that a simulator can replace them. */
import type { ModelSpec } from '../onnx/validate.ts';

export interface Inference {
  toTensor: (bytes: Buffer, spec: { width: number; height: number; channels: 1 | 3 }) => Promise<Float32Array>;
  infer: (
    digest: string,
    load: () => Promise<Buffer>,
    tensors: Float32Array[],
    spec: ModelSpec,
  ) => Promise<{ probabilities: number[][] }>;
}

/** Index of the greatest number. */
export function best(values: readonly number[]): number {
  let at = 0;
  values.forEach((value, i) => {
    if (value > (values[at] ?? 0)) at = i;
  });
  return at;
}
