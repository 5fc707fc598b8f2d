import { defaultMaxPixels, openImage } from './sharp-engine.ts';
import type { ImageSpec } from './size.ts';
import type { ImageStructure } from './structure.ts';
import { walkImage } from './walk.ts';

/** Decoding one accepted image takes milliseconds; this only keeps a broken one from hanging a training. */
const timeoutSeconds = 20;

/**
 * Turns an accepted image into the input of a model: `channels * height * width` floats of 0..255, channel by channel,
 * row by row (CHW). Training comes through here, evaluation and scoring through a reader (decode.ts), which has limits that
 * all of a process share; all end in `tensorOf`, so that they cannot differ.
 *
 * The steps are fixed: decoded at full size; orientation applied; ICC profile converted to sRGB; transparency laid on
 * white, as viewers and paper show it; colours to sRGB (3 channels) or grey (1); stretched to the size, shape not
 * kept, with Lanczos3; 8 bits. Throws an Error when the bytes are no sound image or cannot be decoded.
 */
export async function toTensor(bytes: Buffer, spec: ImageSpec): Promise<Float32Array> {
  const structure = walkImage(bytes);
  if (!structure.ok) throw new Error(structure.detail);
  return tensorOf(bytes, structure, spec, { maxPixels: defaultMaxPixels, timeoutSeconds });
}

/** `toTensor` of an image whose container has been walked. All come through here. */
export async function tensorOf(
  bytes: Buffer,
  structure: ImageStructure,
  spec: ImageSpec,
  limits: { maxPixels: number; timeoutSeconds: number },
): Promise<Float32Array> {
  const { data, info } = await openImage(bytes, { maxPixels: limits.maxPixels })
    .timeout({ seconds: Math.max(1, Math.ceil(limits.timeoutSeconds)) })
    .autoOrient()
    .extract(wholeImage(structure))
    .flatten({ background: '#ffffff' })
    .toColourspace(spec.channels === 1 ? 'b-w' : 'srgb')
    .resize(spec.width, spec.height, { fit: 'fill', kernel: 'lanczos3', fastShrinkOnLoad: false })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const plane = spec.width * spec.height;
  if (data.length !== plane * info.channels || info.channels < spec.channels) {
    throw new Error(`decoded to ${info.width}x${info.height}x${info.channels}, asked for ${JSON.stringify(spec)}`);
  }
  const tensor = new Float32Array(plane * spec.channels);
  for (let channel = 0; channel < spec.channels; channel += 1) {
    for (let pixel = 0; pixel < plane; pixel += 1) {
      tensor[channel * plane + pixel] = data[pixel * info.channels + channel] ?? 0;
    }
  }
  return tensor;
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
