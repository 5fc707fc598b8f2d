/** What a classifier answers for one picture, as it comes out of a session. */
import type { NamedTensors } from '../../../../shared/onnx/ends.ts';

export const answerOf = (probabilities: readonly number[]): NamedTensors => ({
  probabilities: { data: Float32Array.from(probabilities), dims: [probabilities.length] },
});
