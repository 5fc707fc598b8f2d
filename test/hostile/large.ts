/**
 * Pictures that are small as files and large in memory, or as large as they may be. Expected: `accepted`, or the reason of
 * the refusal.
 */
import { createDeflate, constants } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { png, pngChunk, pngHeader, tiff } from '../shared/image/craft.ts';

export interface LargePicture {
  name: string;
  make: () => Promise<Buffer>;
  expected: string;
}

/** Zeros, compressed piece by piece: nobody has to hold 400 MB of them. */
async function deflatedZeros(bytes: number): Promise<Buffer> {
  const piece = Buffer.alloc(1024 * 1024);
  const deflate = createDeflate({ level: 9, strategy: constants.Z_DEFAULT_STRATEGY });
  const parts: Buffer[] = [];
  deflate.on('data', (part: Buffer) => parts.push(part));
  for (let left = bytes; left > 0; left -= piece.length) {
    const own = left < piece.length ? piece.subarray(0, left) : piece;
    await new Promise<void>((resolve, reject) => {
      deflate.write(own, (error) => (error ? reject(error) : resolve()));
    });
  }
  await new Promise<void>((resolve) => {
    deflate.on('end', resolve);
    deflate.end();
  });
  return Buffer.concat(parts);
}

const colourTypes = { grey: 0, RGB: 2, RGBA: 6 } as const;
const samplesOf = { grey: 1, RGB: 3, RGBA: 4 } as const;

/** A black PNG. */
function blackPng(width: number, height: number, colours: keyof typeof colourTypes, depth: 8 | 16) {
  return async (): Promise<Buffer> => {
    const rows = height * (1 + (width * samplesOf[colours] * depth) / 8);
    return png(
      pngHeader(width, height, [depth, colourTypes[colours], 0, 0, 0]),
      pngChunk('IDAT', await deflatedZeros(rows)),
    );
  };
}

const flat = (width: number, height: number, channels: 3 | 4 = 3): Sharp =>
  sharp({
    create: { width, height, channels, background: { r: 200, g: 90, b: 30, alpha: 0.5 } },
    limitInputPixels: false,
  });

/** A black TIFF of one channel more than colours where `samples` is even; its pixels in strips of `rows`, or in tiles. */
function blackTiff(
  width: number,
  height: number,
  samples: 1 | 3 | 4,
  part: { rows: number } | { tile: [number, number] },
) {
  return async (): Promise<Buffer> => {
    const [partWidth, partHeight] = 'tile' in part ? part.tile : [width, Math.min(part.rows, height)];
    const one = await deflatedZeros(partWidth * partHeight * samples);
    return tiff({ width, height, samples, compression: 8, part, data: one });
  };
}

const refused = 'too-many-pixels';
const accepted = 'accepted';

export const largePictures: LargePicture[] = [
  { name: 'PNG of 48,000,000 x 1, RGBA of 16 bits', make: blackPng(48e6, 1, 'RGBA', 16), expected: refused },
  { name: 'PNG of 1 x 48,000,000, RGBA of 16 bits', make: blackPng(1, 48e6, 'RGBA', 16), expected: refused },
  { name: 'PNG of 65,536 x 1', make: blackPng(65_536, 1, 'grey', 8), expected: refused },
  { name: 'PNG of 65,535 x 762, RGBA of 16 bits', make: blackPng(65_535, 762, 'RGBA', 16), expected: refused },
  { name: 'PNG of 65,535 x 8, RGBA of 16 bits', make: blackPng(65_535, 8, 'RGBA', 16), expected: refused },
  { name: 'PNG of 20,000 x 460, RGBA of 16 bits', make: blackPng(20_000, 460, 'RGBA', 16), expected: accepted },
  { name: 'PNG of 360 x 65,535, RGBA of 16 bits', make: blackPng(360, 65_535, 'RGBA', 16), expected: accepted },
  { name: 'PNG of 7,000 x 7,100, RGB', make: blackPng(7000, 7100, 'RGB', 8), expected: accepted },
  { name: 'PNG of 7,000 x 7,100, RGBA', make: blackPng(7000, 7100, 'RGBA', 8), expected: accepted },
  { name: 'PNG of 7,000 x 7,100, RGBA of 16 bits', make: blackPng(7000, 7100, 'RGBA', 16), expected: refused },
  {
    name: 'PNG of 7,000 x 7,100 on its side',
    make: () => flat(7000, 7100).withMetadata({ orientation: 6 }).png().toBuffer(),
    expected: accepted,
  },
  {
    name: 'PNG of 4,400 x 4,500 and 60 MB',
    make: () => flat(4400, 4500).png({ compressionLevel: 0 }).toBuffer(),
    expected: accepted,
  },
  {
    name: 'PNG of 6,000 x 5,800, interlaced',
    make: () => flat(6000, 5800).png({ progressive: true }).toBuffer(),
    expected: accepted,
  },
  {
    name: 'PNG of 6,000 x 5,800, interlaced RGBA of 16 bits',
    make: () => flat(6000, 5800, 4).toColourspace('rgb16').png({ progressive: true }).toBuffer(),
    expected: refused,
  },
  { name: 'JPEG of 65,500 x 700', make: () => flat(65_500, 700).jpeg().toBuffer(), expected: accepted },
  { name: 'JPEG of 7,000 x 7,100', make: () => flat(7000, 7100).jpeg().toBuffer(), expected: accepted },
  {
    name: 'JPEG of 7,000 x 7,100 on its side',
    make: () => flat(7000, 7100).withMetadata({ orientation: 8 }).jpeg().toBuffer(),
    expected: accepted,
  },
  {
    name: 'JPEG of 6,500 x 6,500, progressive',
    make: () => flat(6500, 6500).jpeg({ progressive: true }).toBuffer(),
    expected: accepted,
  },
  {
    name: 'JPEG of 6,500 x 6,500, progressive with full colour',
    make: () => flat(6500, 6500).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
    expected: refused,
  },
  {
    name: 'JPEG of 5,200 x 5,200, progressive with full colour on its side',
    make: () =>
      flat(5200, 5200)
        .withMetadata({ orientation: 5 })
        .jpeg({ progressive: true, chromaSubsampling: '4:4:4' })
        .toBuffer(),
    expected: accepted,
  },
  { name: 'WebP of 4,700 x 4,700', make: () => flat(4700, 4700).webp().toBuffer(), expected: accepted },
  {
    name: 'WebP of 4,400 x 4,400 with alpha, on its side',
    make: () => flat(4400, 4400, 4).withMetadata({ orientation: 7 }).webp({ lossless: true, effort: 0 }).toBuffer(),
    expected: accepted,
  },
  { name: 'WebP of 16,383 x 3,000', make: () => flat(16_383, 3000).webp({ effort: 0 }).toBuffer(), expected: refused },
  { name: 'TIFF of 7,000 x 7,100 in one strip', make: blackTiff(7000, 7100, 3, { rows: 7100 }), expected: refused },
  { name: 'TIFF of 6,300 x 6,400 in one strip', make: blackTiff(6300, 6400, 3, { rows: 6400 }), expected: accepted },
  { name: 'TIFF of 7,000 x 7,100 in strips', make: blackTiff(7000, 7100, 3, { rows: 16 }), expected: accepted },
  {
    name: 'TIFF of 16 x 16 in a tile of 65,520 x 16',
    make: blackTiff(16, 16, 1, { tile: [65_520, 16] }),
    expected: 'decode-failed',
  },
  {
    name: 'TIFF of 8,000 x 6,000 in tiles of 8,000 x 6,000',
    make: blackTiff(8000, 6000, 3, { tile: [8000, 6000] }),
    expected: refused,
  },
  {
    name: 'TIFF of 6,000 x 6,000 in tiles of 256 x 256',
    make: blackTiff(6000, 6000, 3, { tile: [256, 256] }),
    expected: accepted,
  },
];
