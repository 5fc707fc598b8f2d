/** A model of scanned digits that nobody trained here: each class is the mean of some of its pictures. */
import sharp from 'sharp';
import { encodeModel, type OnnxModel } from '../../shared/onnx/encode.ts';
import { digit } from './digits.ts';

interface Input {
  side: number;
  channels: 1 | 3;
}

/** Channel by channel, as models take pictures in; those of grey ones are the same. */
async function meanOf(label: number, { side, channels }: Input, first: number, count: number): Promise<number[]> {
  const pixels = side * side;
  const sum = Array.from({ length: pixels * channels }, () => 0);
  for (let i = first; i < first + count; i++) {
    const raw = await sharp(await digit(label, i))
      .resize(side, side)
      .greyscale()
      .raw()
      .toBuffer();
    for (const at of sum.keys()) sum[at] = (sum[at] ?? 0) + (raw[at % pixels] ?? 0) / count;
  }
  return sum;
}

/** By the nearest mean: its softmax is over 2 x.m - m.m, scaled so that it is neither sure nor unsure of everything. */
export async function digitModel(
  labels: number[],
  change: Partial<OnnxModel> = {},
  input: Input = { side: 28, channels: 1 },
): Promise<Buffer> {
  const { side, channels } = input;
  const size = side * side * channels;
  const means = await Promise.all(labels.map((label) => meanOf(label, input, 300, 40)));
  const scale = 1 / (128 * size);
  const weights = new Float32Array(size * labels.length);
  means.forEach((mean, k) => mean.forEach((m, at) => (weights[at * labels.length + k] = 2 * m * scale)));
  const bias = Float32Array.from(means, (mean) => -scale * mean.reduce((sum, m) => sum + m * m, 0));
  return Buffer.from(
    encodeModel({
      name: 'means',
      nodes: [
        { op: 'Flatten', inputs: ['input'], outputs: ['flat'] },
        { op: 'Gemm', inputs: ['flat', 'w', 'b'], outputs: ['scores'] },
        { op: 'Softmax', inputs: ['scores'], outputs: ['probabilities'], attributes: { axis: { int: 1 } } },
      ],
      inputs: [{ name: 'input', shape: ['N', channels, side, side] }],
      outputs: [{ name: 'probabilities', shape: ['N', labels.length] }],
      initialisers: [
        { name: 'w', dims: [size, labels.length], data: weights },
        { name: 'b', dims: [labels.length], data: bias },
      ],
      metadata: {},
      ...change,
    }),
  );
}

/** The same model without its softmax. */
export const logits = (labels: number[]): Promise<Buffer> =>
  digitModel(labels, {
    nodes: [
      { op: 'Flatten', inputs: ['input'], outputs: ['flat'] },
      { op: 'Gemm', inputs: ['flat', 'w', 'b'], outputs: ['probabilities'] },
    ],
  });
