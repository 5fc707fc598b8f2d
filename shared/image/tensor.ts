import { type Placement, placementOf } from './placement.ts';
import { defaultMaxPixels, openImage } from './sharp-engine.ts';
import type { ImageSpec } from './size.ts';
import type { ImageStructure } from './structure.ts';
import { walkStored } from './walk.ts';

/** Decoding one accepted image takes milliseconds; this only keeps a broken one from hanging a training. */
const timeoutSeconds = 20;

/**
 * Turns an accepted image into the input of a model: `channels * height * width` floats of 0..255, channel by channel,
 * row by row (CHW). Training comes through here, evaluation and scoring through a reader (decode.ts), which has limits that
 * all of a process share; all end in `tensorOf`, so that they cannot differ.
 *
 * The steps are fixed, and docs/preprocessing.md has them to the last bit: decoded at full size (with `shrinkOnLoad` a large
 * JPEG at a part of it, and turned after the resize); orientation applied; ICC
 * profile of an 8-bit picture converted to sRGB; transparency laid on white, as viewers and paper show it; resized to the
 * part of the input that it fills (placement.ts) with Lanczos3, the rest of a letterbox being 114; colours to sRGB (3 channels) or grey (1); 8 bits, or with `range: 'found'` as many as
 * there are, stretched to 0..255. Throws an Error when the bytes are no sound image or cannot be decoded.
 */
export async function toTensor(bytes: Buffer, spec: ImageSpec): Promise<Float32Array> {
  return tensorOf(bytes, walkStored(bytes), spec, { maxPixels: defaultMaxPixels, timeoutSeconds });
}

/** The same, and where in the input the picture lies: the way from its own pixels to those of the model, and back. */
export async function toPlacedTensor(
  bytes: Buffer,
  spec: ImageSpec,
): Promise<{ pixels: Float32Array; placement: Placement }> {
  return { pixels: await toTensor(bytes, spec), placement: placementOf(wholeImage(walkStored(bytes)), spec) };
}

/** `toTensor` of an image whose container has been walked. All come through here. */
export async function tensorOf(
  bytes: Buffer,
  structure: ImageStructure,
  spec: ImageSpec,
  limits: { maxPixels: number; timeoutSeconds: number },
): Promise<Float32Array> {
  const found = spec.range === 'found';
  const { filled } = placementOf(wholeImage(structure), spec);
  const deep = found && structure.depth === 16;
  const grey = deep ? 'grey16' : 'b-w';
  // sharp would convert 16 bits by their profile to Display P3, and grey ones not at all
  const opened = openImage(bytes, { maxPixels: limits.maxPixels, ignoreIcc: structure.depth === 16 })
    .timeout({ seconds: Math.max(1, Math.ceil(limits.timeoutSeconds)) })
    .autoOrient();
  const { data, info } = await (isShrunkOnLoad(structure, spec) ? opened : opened.extract(wholeImage(structure)))
    .flatten({ background: '#ffffff' })
    .toColourspace(spec.channels === 1 ? grey : deep ? 'rgb16' : 'srgb')
    .resize(filled.width, filled.height, { fit: 'fill', kernel: 'lanczos3', fastShrinkOnLoad: false })
    .raw({ depth: deep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const samples = deep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  const plane = filled.width * filled.height;
  if (samples.length !== plane * info.channels || info.channels < spec.channels) {
    throw new Error(`decoded to ${info.width}x${info.height}x${info.channels}, asked for ${JSON.stringify(spec)}`);
  }
  const tensor = new Float32Array(plane * spec.channels);
  for (let channel = 0; channel < spec.channels; channel += 1) {
    for (let pixel = 0; pixel < plane; pixel += 1) {
      tensor[channel * plane + pixel] = samples[pixel * info.channels + channel] ?? 0;
    }
  }
  return letterboxed(found ? stretched(tensor) : tensor, filled, spec);
}

/** What stands beside a picture in a letterbox: the grey that detectors are usually trained with. */
const besideThePicture = 114;

/** Pixels that fill the top left of an input, and grey beside them. */
function letterboxed(pixels: Float32Array, filled: { width: number; height: number }, spec: ImageSpec): Float32Array {
  if (filled.width === spec.width && filled.height === spec.height) return pixels;
  const input = new Float32Array(spec.width * spec.height * spec.channels).fill(besideThePicture);
  for (let row = 0; row < filled.height * spec.channels; row += 1) {
    const channel = Math.floor(row / filled.height);
    const at = (channel * spec.height + (row % filled.height)) * spec.width;
    input.set(pixels.subarray(row * filled.width, (row + 1) * filled.width), at);
  }
  return input;
}

/** The least value becomes 0 and the greatest 255; all are 0 where there is only one. */
function stretched(tensor: Float32Array): Float32Array {
  let [least, greatest] = [Number.POSITIVE_INFINITY, 0];
  for (const value of tensor) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  const extent = Math.max(1, greatest - least);
  return tensor.map((value) => ((value - least) * 255) / extent);
}

/** A JPEG this much larger than the input, in both directions, is decoded at half its size or less: sharp leaves a factor of two to the resize. */
const leastShrink = 4;

/** Whether JPEG's own shrinking, by cosines left out, comes before the resize (`jpegShrinkOnLoad` in sharp's pipeline.cc). */
function isShrunkOnLoad(structure: ImageStructure, { shrinkOnLoad, width, height }: ImageSpec): boolean {
  const upright = wholeImage(structure);
  const shrink = Math.min(upright.width / width, upright.height / height);
  return shrinkOnLoad === true && structure.format === 'jpeg' && shrink >= leastShrink;
}

/**
 * Extracting everything looks idle and is not: it makes sharp turn the picture before it shrinks it, and shrink it only
 * after decoding it in full. Otherwise it would shrink first, rows before columns, with JPEG's own shrinking before that
 * (even without fastShrinkOnLoad), and a picture stored on its side would give other numbers than the same one upright.
 */
function wholeImage({ width, height, orientation }: ImageStructure) {
  const turned = orientation >= 5;
  return { left: 0, top: 0, width: turned ? height : width, height: turned ? width : height };
}

/**
 * Tensors of many images, one after the other in one array (NCHW), in the order given.
 * At most `concurrency` images are decoded at a time. Throws at the first image that cannot be decoded.
 */
export async function batchTensors(images: readonly Buffer[], spec: ImageSpec, concurrency = 4): Promise<Float32Array> {
  const size = spec.width * spec.height * spec.channels;
  const batch = new Float32Array(images.length * size);
  const entries = images.entries();
  const work = async () => {
    for (const [index, image] of entries) batch.set(await toTensor(image, spec), index * size);
  };
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work));
  return batch;
}
