/** A network of the size and shape of MobileNet (https://arxiv.org/abs/1704.04861, table 1), with weights that are made up. */
import { encodeModel, type Initialiser, type OnnxNode } from '../../shared/onnx/encode.ts';

/** Stride and output channels of each depthwise separable block. */
const blocks: readonly (readonly [stride: number, channels: number])[] = [
  ...([
    [1, 64],
    [2, 128],
    [1, 128],
    [2, 256],
    [1, 256],
    [2, 512],
  ] as const),
  ...([
    [1, 512],
    [1, 512],
    [1, 512],
    [1, 512],
    [1, 512],
    [2, 1024],
    [1, 1024],
  ] as const),
];
const firstChannels = 32;

/** The ONNX file of a network over `size` x `size` pixels in colour: 4.2 million weights less those of 1,000 classes, 0.57 G multiplications at 224. */
export function mobileNet(size: number, classes: number): Uint8Array {
  const nodes: OnnxNode[] = [];
  const initialisers: Initialiser[] = [];
  let at = 'input';
  const weights = (name: string, dims: number[], fanIn: number): string => {
    const bound = Math.sqrt(6 / fanIn);
    const count = dims.reduce((a, b) => a * b, 1);
    // multiplier of Knuth's multiplicative hashing: spread, and the same at every run
    const data = Float32Array.from(
      { length: count },
      (_, i) => ((Math.imul(i + 1, 0x9e3779b1) >>> 8) / 2 ** 23 - 1) * bound,
    );
    initialisers.push({ name, dims, data });
    return name;
  };
  const convolve = (kernel: number, stride: number, from: number, to: number, group: number): void => {
    const name = `c${nodes.length}`;
    const pads = Array.from({ length: 4 }, () => (kernel - 1) / 2);
    nodes.push(
      {
        op: 'Conv',
        inputs: [at, weights(`${name}w`, [to, from / group, kernel, kernel], (from / group) * kernel * kernel)],
        outputs: [name],
        attributes: { strides: { ints: [stride, stride] }, pads: { ints: pads }, group: { int: group } },
      },
      { op: 'Relu', inputs: [name], outputs: [`${name}r`] },
    );
    at = `${name}r`;
  };
  convolve(3, 2, 3, firstChannels, 1);
  let channels = firstChannels;
  for (const [stride, to] of blocks) {
    convolve(3, stride, channels, channels, channels);
    convolve(1, 1, channels, to, 1);
    channels = to;
  }
  nodes.push(
    { op: 'GlobalAveragePool', inputs: [at], outputs: ['pooled'] },
    { op: 'Flatten', inputs: ['pooled'], outputs: ['flat'], attributes: { axis: { int: 1 } } },
    { op: 'MatMul', inputs: ['flat', weights('head', [channels, classes], channels)], outputs: ['logits'] },
    { op: 'Softmax', inputs: ['logits'], outputs: ['probabilities'], attributes: { axis: { int: 1 } } },
  );
  return encodeModel({
    name: 'mobilenet',
    nodes,
    inputs: [{ name: 'input', shape: ['N', 3, size, size] }],
    outputs: [{ name: 'probabilities', shape: ['N', classes] }],
    initialisers,
    metadata: {},
  });
}
