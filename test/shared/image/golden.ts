/**
 * The golden vectors of docs/preprocessing.md. `node test/shared/image/golden.ts` writes them anew, which is only right when
 * preprocessing changes on purpose: models that are live were trained on the old numbers.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import type { ImageSpec } from '../../../shared/image/size.ts';
import { toTensor } from '../../../shared/image/tensor.ts';
import { picture } from './craft.ts';

const folder = 'test/fixtures/preprocessing';

/** One line of vectors.json: the picture, the input asked for, and where its numbers are (32-bit floats, little-endian, CHW). */
export type Vector = {
  picture: string;
  image: ImageSpec;
  orientation: number;
  tensor: string;
  /** of a JPEG: a PNG of what its decoder gives, which is where the rest of the page begins */
  decoded?: string;
};

const size = (width: number, height: number, channels: 1 | 3): ImageSpec => ({ width, height, channels });

const letterbox = (width: number, height: number, channels: 1 | 3): ImageSpec => ({
  ...size(width, height, channels),
  fit: 'letterbox',
});

/** A grey picture of 12 bits in 16. */
function detector(): Sharp {
  const samples = Uint16Array.from({ length: 40 * 30 }, (_, i) => 300 + ((i * 37) % 3700));
  return sharp(samples, { raw: { width: 40, height: 30, channels: 1 } }).toColourspace('grey16');
}

const vectors: { name: string; image: ImageSpec; orientation?: number; jpeg?: true; made: Sharp }[] = [
  { name: 'colour', image: size(16, 12, 3), made: picture(50, 37) },
  { name: 'colour-as-grey', image: size(16, 12, 1), made: picture(50, 37) },
  { name: 'grey-as-it-is', image: size(28, 28, 1), made: picture(28, 28).toColourspace('b-w') },
  { name: 'grey-as-colour', image: size(20, 20, 3), made: picture(28, 28).toColourspace('b-w') },
  { name: 'odd-height', image: size(24, 64, 1), made: picture(90, 431).toColourspace('b-w') },
  { name: 'enlarged', image: size(32, 24, 3), made: picture(13, 9) },
  { name: 'wider-and-lower', image: size(32, 12, 3), made: picture(20, 50) },
  { name: 'transparent', image: size(16, 12, 3), made: picture(40, 30).ensureAlpha(0.3) },
  { name: 'on-its-side', image: size(16, 12, 3), orientation: 6, made: picture(37, 50) },
  { name: 'deep-given', image: size(16, 12, 1), made: detector() },
  { name: 'deep-found', image: { ...size(16, 12, 1), range: 'found' }, made: detector() },
  {
    name: 'deep-colour-found',
    image: { ...size(16, 12, 1), range: 'found' },
    made: picture(40, 30).toColourspace('rgb16'),
  },
  // their decoded pixels are Pillow's (Image.draft), whose decoder is libjpeg-turbo: another one than Darkroom's
  { name: 'shrunk', image: { ...size(24, 20, 3), shrinkOnLoad: true }, jpeg: true, made: picture(201, 149) },
  {
    name: 'shrunk-on-its-side',
    image: { ...size(24, 20, 1), shrinkOnLoad: true },
    ...{ orientation: 6, jpeg: true, made: picture(330, 410) },
  },
  { name: 'dim-found', image: { ...size(16, 12, 3), range: 'found' }, made: picture(40, 30).linear(0.3, 20) },
  { name: 'letterbox', image: letterbox(24, 24, 3), made: picture(50, 37) },
  { name: 'letterbox-on-its-side', image: letterbox(40, 16, 3), orientation: 6, made: picture(37, 50) },
  {
    name: 'letterbox-found',
    image: { ...letterbox(16, 20, 3), range: 'found' },
    made: picture(40, 30).linear(0.3, 20),
  },
  { name: 'letterbox-enlarged', image: letterbox(33, 64, 1), made: picture(13, 9) },
];

/** The vectors with their pictures and numbers. */
export async function readVectors(): Promise<
  (Omit<Vector, 'decoded'> & { bytes: Buffer; decoded: Buffer; expected: Float32Array })[]
> {
  const index = JSON.parse(await readFile(path.join(folder, 'vectors.json'), 'utf8')) as Vector[];
  return Promise.all(
    index.map(async (vector) => {
      const numbers = await readFile(path.join(folder, vector.tensor));
      const expected = Float32Array.from({ length: numbers.length / 4 }, (_, i) => numbers.readFloatLE(4 * i));
      const bytes = await readFile(path.join(folder, vector.picture));
      const decoded = vector.decoded === undefined ? bytes : await readFile(path.join(folder, vector.decoded));
      return { ...vector, bytes, decoded, expected };
    }),
  );
}

if (import.meta.main) {
  const index: Vector[] = [];
  for (const { name, image, orientation = 1, jpeg = false, made } of vectors) {
    const turned = orientation === 1 ? made : made.withMetadata({ orientation });
    const bytes = await (jpeg ? turned.jpeg({ quality: 90 }) : turned.png()).toBuffer();
    const vector = {
      ...{ picture: `${name}.${jpeg ? 'jpg' : 'png'}`, image, orientation, tensor: `${name}.f32` },
      ...(jpeg && { decoded: `${name}-decoded.png` }),
    };
    await writeFile(path.join(folder, vector.picture), bytes);
    await writeFile(path.join(folder, vector.tensor), new Uint8Array((await toTensor(bytes, image)).buffer));
    index.push(vector);
  }
  await writeFile(path.join(folder, 'vectors.json'), JSON.stringify(index, null, 2));
}
