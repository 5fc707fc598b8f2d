/** Models made of allowed operators only, whose trouble shows when they are loaded. */
import type { OnnxModel, OnnxNode } from '../../../shared/onnx/encode.ts';
import type { ClassifierShape } from '../../../shared/task/classification/ends.ts';
import { tinyModel, tinyShape } from './tiny-model.ts';

/** Makes a constant square matrix of `side` * `side` ones from a few bytes, and uses it in `then`. */
function withMatrix(spec: ClassifierShape, side: number, then: OnnxNode[], last: string): OnnxModel {
  const model = tinyModel(0, spec);
  const [flatten, dense, softmax] = model.nodes as [OnnxNode, OnnxNode, OnnxNode];
  model.nodes = [
    { op: 'Expand', inputs: ['one', 'shape'], outputs: ['matrix'] },
    ...then,
    { op: 'ReduceMean', inputs: [last], outputs: ['mean'], attributes: { keepdims: { int: 0 } } },
    flatten,
    { ...dense, outputs: ['dense'] },
    { op: 'Add', inputs: ['dense', 'mean'], outputs: ['logits'] },
    softmax,
  ];
  model.initialisers.push(
    { name: 'one', dims: [1, 1], data: Float32Array.of(1e-4) },
    { name: 'shape', dims: [2], data: BigInt64Array.of(BigInt(side), BigInt(side)) },
  );
  return model;
}

/** Multiplies matrices for hours while it is loaded: constants are folded then. */
export function endlessModel(spec: ClassifierShape = tinyShape): OnnxModel {
  const products = Array.from({ length: 5000 }, (_, i) => ({
    op: 'MatMul',
    inputs: [i === 0 ? 'matrix' : `product${i - 1}`, 'matrix'],
    outputs: [`product${i}`],
  }));
  return withMatrix(spec, 2500, products, 'product4999');
}

/** Takes 1.6 GB. */
export const greedyModel = (): OnnxModel => withMatrix(tinyShape, 20_000, [], 'matrix');
