import type { Initialiser, OnnxModel, OnnxNode } from '../../../shared/onnx/encode.ts';
import { classifierEnds, type ClassifierShape } from '../../../shared/task/classification/ends.ts';

export const tinyShape: ClassifierShape = { channels: 1, height: 2, width: 2, classes: 2 };
export const tinyEnds = classifierEnds(tinyShape);

/** With nothing in it that is encoded already. */
export interface TinyModel extends OnnxModel {
  nodes: OnnxNode[];
  initialisers: Initialiser[];
}

/** The smallest image classifier: flatten, dense, softmax. `bias` makes models that differ. */
export function tinyModel(bias = 0, shape: ClassifierShape = tinyShape): TinyModel {
  const { channels, height, width, classes } = shape;
  const inputs = channels * height * width;
  const weight = (i: number): number => ((i % 2 === 0 ? 1 : -1) * (Math.floor(i / 2) + 1)) / 10;
  const weights = Float32Array.from({ length: inputs * classes }, (_, i) => weight(i));
  const biases = new Float32Array(classes);
  biases[0] = bias;
  return {
    name: 'tiny',
    nodes: [
      { op: 'Flatten', inputs: ['input'], outputs: ['flat'], attributes: { axis: { int: 1 } } },
      { op: 'Gemm', inputs: ['flat', 'weights', 'bias'], outputs: ['logits'] },
      { op: 'Softmax', inputs: ['logits'], outputs: ['probabilities'], attributes: { axis: { int: 1 } } },
    ],
    inputs: [{ name: 'input', shape: ['N', channels, height, width] }],
    outputs: [{ name: 'probabilities', shape: ['N', classes] }],
    initialisers: [
      { name: 'weights', dims: [inputs, classes], data: weights },
      { name: 'bias', dims: [classes], data: biases },
    ],
    metadata: { task: 'tiny' },
  };
}
