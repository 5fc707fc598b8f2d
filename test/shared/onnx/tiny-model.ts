import type { OnnxModel } from '../../../shared/onnx/encode.ts';

export const tinySpec = { channels: 1, height: 2, width: 2, classes: 2 };

/** The smallest image classifier: flatten, dense, softmax. `bias` makes models that differ. */
export function tinyModel(bias = 0): OnnxModel {
  return {
    name: 'tiny',
    nodes: [
      { op: 'Flatten', inputs: ['input'], outputs: ['flat'], attributes: { axis: { int: 1 } } },
      { op: 'Gemm', inputs: ['flat', 'weights', 'bias'], outputs: ['logits'] },
      { op: 'Softmax', inputs: ['logits'], outputs: ['probabilities'], attributes: { axis: { int: 1 } } },
    ],
    inputs: [{ name: 'input', shape: ['N', 1, 2, 2] }],
    outputs: [{ name: 'probabilities', shape: ['N', 2] }],
    initialisers: [
      { name: 'weights', dims: [4, 2], data: Float32Array.of(0.1, -0.1, 0.2, -0.2, 0.3, -0.3, 0.4, -0.4) },
      { name: 'bias', dims: [2], data: Float32Array.of(bias, 0) },
    ],
    metadata: { task: 'tiny' },
  };
}
