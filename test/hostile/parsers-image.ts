/** Parsers of pictures. */
import * as fc from 'fast-check';
import sharp from 'sharp';
import { createImageReader } from '../../shared/image/decode.ts';
import { minimalExif, readOrientation } from '../../shared/image/exif.ts';
import { checkPngData } from '../../shared/image/png-data.ts';
import { sanitise } from '../../shared/image/sanitise.ts';
import { imageProblems, type ImageRefusal } from '../../shared/image/structure.ts';
import { toTensor } from '../../shared/image/tensor.ts';
import { walkImage, walkStored } from '../../shared/image/walk.ts';
import { picture } from '../shared/image/craft.ts';
import { type Parser, parser } from './fuzz.ts';
import { anyBytes, damaged } from './mutate.ts';

const exif = { IFD0: { Make: 'Camera', ImageDescription: 'secret' }, IFD3: { GPSLatitude: '1/1 2/1 3/1' } };

function assertRefusal({ reason, detail }: ImageRefusal): void {
  if (!imageProblems.includes(reason)) throw new Error(`${reason} is no reason`);
  if (detail.length < 20 || detail.length > 1000) throw new Error(`a detail of ${detail.length} characters: ${detail}`);
}

/** What holds for a container that is sound: edits lie inside, and what is cleaned is clean. */
function walk(bytes: Buffer): void {
  const found = walkImage(bytes);
  if (!found.ok) return assertRefusal(found);
  if (found.format === 'tiff') return;
  let at = 0;
  for (const { start, end } of found.metadataEdits) {
    if (start < at || end < start || end > bytes.length) throw new Error(`an edit ${start}-${end} beyond ${at}`);
    at = end;
  }
  const clean = sanitise(bytes, found);
  const again = walkStored(clean);
  if (again.width !== found.width || again.height !== found.height || again.orientation !== found.orientation)
    throw new Error('cleaned it is another picture');
  if (!sanitise(clean, again).equals(clean)) throw new Error('cleaning it twice changes it');
}

/** Parsers of pictures. */
export async function imageParsers(): Promise<Parser[]> {
  const odd = picture(13, 7).withExif(exif).withMetadata({ orientation: 6 });
  const originals = {
    PNG: [
      await picture(16, 12).png().toBuffer(),
      await picture(16, 12).png({ palette: true }).toBuffer(),
      await picture(9, 9).png({ progressive: true }).toBuffer(),
      await odd.clone().png().toBuffer(),
    ],
    JPEG: [
      await picture(16, 12).jpeg().toBuffer(),
      await picture(40, 30).jpeg({ progressive: true }).toBuffer(),
      await odd.clone().jpeg({ quality: 30 }).toBuffer(),
      await picture(16, 12).greyscale().jpeg().withIccProfile('p3').toBuffer(),
    ],
    WebP: [
      await picture(16, 12).webp().toBuffer(),
      await picture(16, 12).webp({ lossless: true }).toBuffer(),
      await picture(16, 12).ensureAlpha(0.4).webp().toBuffer(),
      await odd.clone().webp().toBuffer(),
    ],
    TIFF: [
      await picture(16, 12).tiff({ compression: 'lzw' }).toBuffer(),
      await picture(16, 12).toColourspace('grey16').tiff({ compression: 'deflate' }).toBuffer(),
      await picture(40, 30).tiff({ compression: 'packbits', tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
      await odd.clone().tiff({ compression: 'none' }).toBuffer(),
    ],
  };
  const all = Object.values(originals).flat();
  const reader = createImageReader({ maxPixels: 4e6, timeoutSeconds: 4 });
  const read = async (bytes: Buffer): Promise<void> => {
    const spec = { width: 8, height: 8, channels: 3 } as const;
    const [verdict, scored] = await Promise.all([reader.inspect(bytes), reader.preprocess(bytes, undefined, spec)]);
    if (verdict.ok !== scored.ok)
      throw new Error('an image may be scored that may not be stored, or the other way round');
    if (!verdict.ok) return assertRefusal(verdict);
    if (!scored.ok) return assertRefusal(scored);
    // whatever is accepted can be trained on, and looks then as it does when it is scored
    const tensor = await toTensor(verdict.bytes, spec);
    if (!tensor.every((value) => value >= 0 && value <= 255)) throw new Error('pixels beyond 0 to 255');
    if (!tensor.every((value, i) => value === scored.tensor[i]))
      throw new Error('scored from other pixels than trained on');
  };
  const pngData = async (bytes: Buffer): Promise<void> => {
    const found = walkImage(bytes);
    const problem = found.ok && 'compressed' in found ? await checkPngData(found) : null;
    if (problem !== null) assertRefusal(problem);
  };
  const metadata = await sharp(await odd.clone().jpeg().toBuffer()).metadata();
  const blocks = [minimalExif(6), metadata.exif ?? minimalExif(3)];
  const orientation = (bytes: Buffer): void => {
    const value = readOrientation(bytes);
    if (!Number.isInteger(value) || value < 1 || value > 8) throw new Error(`orientation ${value}`);
  };
  return [
    ...Object.entries(originals).map(([name, own]) => parser(`walk of ${name}`, damaged(own), walk)),
    parser('walk of any bytes', anyBytes(all), walk),
    parser('pixel data of PNG', damaged(originals.PNG), pngData),
    parser('EXIF', fc.oneof(damaged(blocks), anyBytes(blocks)), orientation),
    parser('decoding and scoring', damaged(all), read, 0.25),
  ];
}
