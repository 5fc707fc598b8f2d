/** Every operator that is allowed runs on the onnxruntime in use: a graph of each is checked and tried. */
import { describe, expect, test } from 'vitest';
import { encodeModel, type Initialiser, type OnnxModel, type OnnxNode } from '../../../shared/onnx/encode.ts';
import { floatsOf, floatTensor, openGraph } from '../../../shared/onnx/engine.ts';
import { allowedOperators } from '../../../shared/onnx/operators.ts';
import { opsets, irVersions, validateModel } from '../../../shared/onnx/validate.ts';
import { tinyModel, tinyEnds } from './tiny-model.ts';

type Use = Pick<OnnxNode, 'inputs' | 'attributes'>;

const float = (name: string, ...dims: number[]): Initialiser => ({
  name,
  dims,
  data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.5),
});
const ints = (name: string, ...values: number[]): Initialiser => ({
  name,
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
});
const int = (name: string, value: number): Initialiser => ({ ...ints(name, value), dims: [] });
/** TensorProto.DataType */
const type = { uint8: 2, int8: 3, int32: 6, bool: 9 };

const values: Initialiser[] = [
  ...[float('half', 1), float('kernel', 1, 1, 1, 1), float('matrix', 4, 4), float('row', 4), float('one', 1, 1, 1, 1)],
  ...[int('zero', 0), int('three', 3), int('step', 1), ints('k', 1), ints('axis', 1), ints('first', 0)],
  ...[ints('shape', 2, 3), ints('pads', 0, 0, 1, 0, 0, 0, 0, 0), ints('repeats', 1, 1, 2, 2), ints('end', 2)],
  ...[ints('flatShape', -1, 4), ints('position', 0, 1)],
  ...[
    { ...float('scales', 4), data: Float32Array.of(1, 1, 2, 2) },
    { ...float('scale', 1), dims: [] },
  ],
  ...[float('cache', 4, 1), { ...ints('positions', 0, 0), dims: [1, 2] }, { ...float('heads', 1, 1, 2, 2) }],
  ...[{ ...ints('pick', 0, 1), dims: [1, 2] }, float('updates', 1, 2)],
];

/** `input` is float [N, 1, 2, 2]; `flat` float [N, 4], `bytes` uint8, `bools` bool, all of the same pictures. */
const before: OnnxNode[] = [
  { op: 'Flatten', inputs: ['input'], outputs: ['flat4'], attributes: { axis: { int: 1 } } },
  { op: 'Cast', inputs: ['input'], outputs: ['bytes'], attributes: { to: { int: type.uint8 } } },
  { op: 'Cast', inputs: ['kernel'], outputs: ['kernelBytes'], attributes: { to: { int: type.uint8 } } },
  { op: 'Cast', inputs: ['flat4'], outputs: ['rowBytes'], attributes: { to: { int: type.uint8 } } },
  { op: 'Cast', inputs: ['matrix'], outputs: ['matrixBytes'], attributes: { to: { int: type.uint8 } } },
  { op: 'Cast', inputs: ['scale'], outputs: ['zeroPoint'], attributes: { to: { int: type.uint8 } } },
  { op: 'Cast', inputs: ['flat4'], outputs: ['bools'], attributes: { to: { int: type.bool } } },
];

const of = (...inputs: string[]): Use => ({ inputs });
const with_ = (attributes: NonNullable<Use['attributes']>, ...inputs: string[]): Use => ({ inputs, attributes });
const kernel = { kernel_shape: { ints: [1, 1] } };

const unary = `Abs Ceil Celu Clip Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity LeakyRelu Log LogSoftmax Mish Neg
  Reciprocal ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Round Selu Shape
  Sigmoid Sign Sin Cos Size Softmax Softplus Softsign Sqrt Tanh Transpose Trilu ArgMax ArgMin Flatten
  GlobalAveragePool GlobalMaxPool Dropout LpNormalization DynamicQuantizeLinear Squeeze`;
const binary = `Add Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mul Pow PRelu Sub Sum CastLike`;
const logic = ['And', 'Or', 'Xor'];

const uses: Record<string, Use> = {
  ...Object.fromEntries(unary.split(/\s+/).map((op) => [op, of('input')])),
  ...Object.fromEntries(binary.split(/\s+/).map((op) => [op, of('input', 'half')])),
  ...Object.fromEntries(logic.map((op) => [op, of('bools', 'bools')])),
  Attention: of('input', 'input', 'input'),
  AveragePool: with_(kernel, 'input'),
  BatchNormalization: of('input', 'half', 'half', 'half', 'half'),
  Cast: with_({ to: { int: type.int32 } }, 'input'),
  Concat: with_({ axis: { int: 1 } }, 'input', 'input'),
  Constant: with_({ value_float: { float: 0.5 } }),
  ConstantOfShape: of('shape'),
  Conv: of('input', 'kernel'),
  ConvInteger: of('bytes', 'kernelBytes'),
  ConvTranspose: of('input', 'kernel'),
  CumSum: of('input', 'step'),
  DepthToSpace: with_({ blocksize: { int: 1 } }, 'input'),
  DequantizeLinear: of('bytes', 'scale', 'zeroPoint'),
  Einsum: with_({ equation: { text: 'nchw,nchw->nc' } }, 'input', 'input'),
  Expand: of('one', 'repeats'),
  Gather: of('flat4', 'zero'),
  GatherElements: of('matrix', 'pick'),
  GatherND: of('matrix', 'position'),
  Gemm: of('flat4', 'matrix'),
  GridSample: of('heads', 'heads'),
  GroupNormalization: with_({ num_groups: { int: 1 } }, 'input', 'half', 'half'),
  InstanceNormalization: of('input', 'half', 'half'),
  LRN: with_({ size: { int: 1 } }, 'input'),
  LayerNormalization: of('flat4', 'row'),
  MatMul: of('flat4', 'matrix'),
  MatMulInteger: of('rowBytes', 'matrixBytes'),
  MaxPool: with_(kernel, 'input'),
  Mod: with_({ fmod: { int: 1 } }, 'input', 'half'),
  Not: of('bools'),
  Pad: of('input', 'pads'),
  QLinearConv: of('bytes', 'scale', 'zeroPoint', 'kernelBytes', 'scale', 'zeroPoint', 'scale', 'zeroPoint'),
  QLinearMatMul: of('rowBytes', 'scale', 'zeroPoint', 'matrixBytes', 'scale', 'zeroPoint', 'scale', 'zeroPoint'),
  QuantizeLinear: of('input', 'scale', 'zeroPoint'),
  RMSNormalization: of('flat4', 'row'),
  Range: of('zero', 'three', 'step'),
  Reshape: of('input', 'flatShape'),
  Resize: of('input', '', 'scales'),
  RotaryEmbedding: of('heads', 'cache', 'cache', 'positions'),
  ScatterElements: of('matrix', 'pick', 'updates'),
  ScatterND: of('matrix', 'position', 'scale'),
  Slice: of('input', 'first', 'k', 'axis'),
  SpaceToDepth: with_({ blocksize: { int: 2 } }, 'input'),
  Split: with_({ num_outputs: { int: 1 } }, 'input'),
  Tile: of('input', 'repeats'),
  TopK: of('flat4', 'k'),
  Unsqueeze: of('input', 'axis'),
  Where: of('bools', 'flat4', 'row'),
};

/** A classifier whose answer needs what `op` gives: nodes that nobody needs are left out when a graph is loaded. */
function modelWith(op: string, { inputs, attributes }: Use): OnnxModel {
  const [flatten, dense, softmax] = tinyModel().nodes as [OnnxNode, OnnxNode, OnnxNode];
  const outputs =
    op === 'TopK' ? ['given', 'indices'] : op === 'DynamicQuantizeLinear' ? ['given', 's', 'z'] : ['given'];
  return {
    ...tinyModel(),
    irVersion: irVersions.most,
    opset: opsets.most,
    nodes: [
      ...before,
      { op, inputs, outputs, ...(attributes === undefined ? {} : { attributes }) },
      { op: 'Cast', inputs: ['given'], outputs: ['floats'], attributes: { to: { int: 1 } } },
      { op: 'ReduceSum', inputs: ['floats'], outputs: ['sum'], attributes: { keepdims: { int: 0 } } },
      flatten,
      { ...dense, outputs: ['dense'] },
      { op: 'Add', inputs: ['dense', 'sum'], outputs: ['logits'] },
      softmax,
    ],
    initialisers: [...tinyModel().initialisers, ...values],
  };
}

describe('operators', () => {
  test('each one that is allowed has a graph here', () => {
    expect(Object.keys(uses).sort()).toEqual([...allowedOperators].sort());
  });

  test.each(Object.entries(uses))('%s runs', async (op, use) => {
    const bytes = encodeModel(modelWith(op, use));
    expect(validateModel(bytes, tinyEnds)).toMatchObject({ ok: true });
    const session = await openGraph(bytes, 1);
    const input = floatTensor(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 1, 2, 2]);
    const answer = floatsOf((await session.run({ input }))['probabilities']);
    expect(answer[0]! + answer[1]!).toBeCloseTo(1);
    await session.release();
  });
});
