/** Images as the input of one run, and its outputs image by image. */
import type { InputShape, NamedTensors } from './ends.ts';

const mostImages = 32;
/** numbers that the inputs of a run have together, unless one image has more: 32 images of 128 x 128 in colours */
const mostNumbers = mostImages * 3 * 128 * 128;

/** Most images per run: bounds the memory of a run and how long others wait for its thread. The probe runs as many. */
export const imagesPerRun = (shape: InputShape): number =>
  Math.max(1, Math.min(mostImages, Math.floor(mostNumbers / inputSize(shape))));

/** How many numbers the input of one image has. */
export const inputSize = ({ channels, height, width }: InputShape): number => channels * height * width;

/** The feeds of one run over images (CHW floats), which are copied. */
export function batchOf(images: readonly Float32Array[], shape: InputShape): NamedTensors {
  const size = inputSize(shape);
  const data = new Float32Array(images.length * size);
  images.forEach((image, i) => data.set(image, i * size));
  return { input: { data, dims: [images.length, shape.channels, shape.height, shape.width] } };
}

/** What each of `count` images was answered: its part of every output, whose first dimension counts images. Throws an Error where it does not. */
export function byImage(outputs: NamedTensors, count: number): NamedTensors[] {
  const named = Object.entries(outputs);
  for (const [name, { dims }] of named)
    if (dims[0] !== count) throw new Error(`the model gave ${name} of ${dims.join('x')} for ${count} images`);
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(
      named.map(([name, { data, dims }]) => {
        const size = data.length / count;
        return [name, { data: data.subarray(i * size, (i + 1) * size), dims: dims.slice(1) }];
      }),
    ),
  );
}
