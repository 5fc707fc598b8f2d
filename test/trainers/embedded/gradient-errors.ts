/** Gradients of a training graph beside finite differences. */
import { floatsOf, type Tensor } from '../../../shared/onnx/engine.ts';
import type { Random } from '../../../trainers/embedded/random.ts';

/** weights of each parameter that are tried */
export const checksEach = 5;

/**
 * How far gradients are from finite differences of `step`, as a share of the greater, ascending: of some weights of each
 * parameter. `run` answers `loss` and `gradient` for what `vector` holds; `vector` is as it was afterwards.
 */
export async function gradientErrors(
  run: () => Promise<Record<string, Tensor>>,
  vector: Float32Array,
  parameters: readonly { offset: number; length: number }[],
  { random, step }: { random: Random; step: number },
): Promise<number[]> {
  const lossAt = async (index: number, value: number): Promise<number> => {
    vector[index] = value;
    return floatsOf((await run())['loss'])[0] ?? Number.NaN;
  };
  const gradient = Float32Array.from(floatsOf((await run())['gradient']));
  const errors: number[] = [];
  for (const { offset, length } of parameters) {
    for (let check = 0; check < checksEach; check++) {
      const index = offset + random.below(length);
      const value = vector[index] ?? 0;
      const difference = ((await lossAt(index, value + step)) - (await lossAt(index, value - step))) / (2 * step);
      vector[index] = value;
      const exact = gradient[index] ?? 0;
      errors.push(Math.abs(difference - exact) / Math.max(0.05, Math.abs(difference), Math.abs(exact)));
    }
  }
  return errors.toSorted((a, b) => a - b);
}
