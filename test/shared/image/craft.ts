import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { Sharp } from 'sharp';

/** Pictures for tests: honest ones made by sharp, hostile ones put together byte by byte. */

/** A smooth colourful picture in which every part differs, as a sharp pipeline. */
export function picture(width: number, height: number): Sharp {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = (y * width + x) * 3;
      pixels[at] = (x * 255) / width;
      pixels[at + 1] = (y * 255) / height;
      pixels[at + 2] = 128 + 127 * Math.sin((x * y) / 97);
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** One PNG chunk with a right CRC. */
export function pngChunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(content.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  content.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(content), content.length + 4);
  return chunk;
}

const pngSignature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** The header chunk of an 8-bit grey PNG, not interlaced unless other last five bytes are given. */
export function pngHeader(width: number, height: number, rest: number[] = [8, 0, 0, 0, 0]): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  Buffer.from(rest).copy(data, 8);
  return pngChunk('IHDR', data);
}

/** A PNG of the given chunks between signature and IEND. */
export function png(...chunks: Buffer[]): Buffer {
  return Buffer.concat([pngSignature, ...chunks, pngChunk('IEND')]);
}

/** IDAT of a grey 8-bit picture of zeros with so many rows. */
export function greyRows(width: number, rows: number): Buffer {
  return pngChunk('IDAT', deflateSync(Buffer.alloc((width + 1) * rows)));
}

/** Puts bytes into a file at a place. */
export function insert(file: Buffer, at: number, ...parts: Buffer[]): Buffer {
  return Buffer.concat([file.subarray(0, at), ...parts, file.subarray(at)]);
}

/** One JPEG segment. */
export function jpegSegment(marker: number, data: Buffer | string): Buffer {
  const content = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

/** Offset of the first segment with this marker in an honest JPEG. */
export function findSegment(jpeg: Buffer, marker: number): number {
  let at = 2;
  while (jpeg[at + 1] !== marker) {
    at += 2 + jpeg.readUInt16BE(at + 2);
    if (at >= jpeg.length) throw new Error(`no segment 0x${marker.toString(16)}`);
  }
  return at;
}

/** One WebP chunk, padded to an even length. */
export function webpChunk(type: string, data: Buffer): Buffer {
  const head = Buffer.from(`${type}\0\0\0\0`, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

/** A WebP of the given chunks with a right size. */
export function webp(...chunks: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP', 'latin1'), ...chunks]);
  const head = Buffer.from('RIFF\0\0\0\0', 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** The VP8X chunk: flags (2 animation, 4 XMP, 8 EXIF, 16 alpha, 32 ICC) and canvas. */
export function webpCanvas(flags: number, width: number, height: number): Buffer {
  const data = Buffer.alloc(10);
  data.writeUInt8(flags, 0);
  data.writeUIntLE(width - 1, 4, 3);
  data.writeUIntLE(height - 1, 7, 3);
  return webpChunk('VP8X', data);
}

type TiffParts = {
  width: number;
  height: number;
  samples: 1 | 3 | 4;
  /** TIFF 6.0, tag 259 */
  compression: number;
  part: { rows: number } | { tile: [width: number, height: number] };
  /** of one strip or tile; all share it */
  data: Buffer;
  /** more fields, each one number: replaces a field of the same tag */
  fields?: [tag: number, value: number][];
  /** where the next page is */
  next?: number;
};

/** A little-endian TIFF of 8-bit samples, all of whose strips or tiles are the same bytes. */
export function tiff({ width, height, samples, compression, part, data, fields = [], next = 0 }: TiffParts): Buffer {
  const [partWidth, partHeight] = 'tile' in part ? part.tile : [width, part.rows];
  const count = Math.ceil(width / partWidth) * Math.ceil(height / partHeight);
  const dataAt = 8;
  const listsAt = dataAt + data.length + (data.length % 2);
  const list = (value: number): Buffer => {
    const numbers = Buffer.alloc(4 * count);
    for (let i = 0; i < count; i += 1) numbers.writeUInt32LE(value, 4 * i);
    return numbers;
  };
  const placed = (value: number, at: number) => (count === 1 ? value : at);
  const bitsAt = listsAt + 8 * count;
  const all = new Map<number, [type: number, count: number, value: number]>([
    [256, [4, 1, width]],
    [257, [4, 1, height]],
    [258, samples === 1 ? [3, 1, 8] : [3, samples, bitsAt]],
    [259, [3, 1, compression]],
    [262, [3, 1, samples === 1 ? 1 : 2]],
    [277, [3, 1, samples]],
    ...((samples === 4 ? [[338, [3, 1, 2]]] : []) as [number, [number, number, number]][]),
    ...(('tile' in part
      ? [
          [322, [4, 1, partWidth]],
          [323, [4, 1, partHeight]],
          [324, [4, count, placed(dataAt, listsAt)]],
          [325, [4, count, placed(data.length, listsAt + 4 * count)]],
        ]
      : [
          [273, [4, count, placed(dataAt, listsAt)]],
          [278, [4, 1, partHeight]],
          [279, [4, count, placed(data.length, listsAt + 4 * count)]],
        ]) as [number, [number, number, number]][]),
    ...fields.map(([tag, value]) => [tag, [4, 1, value]] as [number, [number, number, number]]),
  ]);
  const directory = Buffer.alloc(2 + 12 * all.size + 4);
  directory.writeUInt16LE(all.size, 0);
  [...all]
    .sort(([a], [b]) => a - b)
    .forEach(([tag, [type, items, value]], i) => {
      directory.writeUInt16LE(tag, 2 + 12 * i);
      directory.writeUInt16LE(type, 4 + 12 * i);
      directory.writeUInt32LE(items, 6 + 12 * i);
      directory.writeUInt32LE(value, 10 + 12 * i);
    });
  directory.writeUInt32LE(next, 2 + 12 * all.size);
  const head = Buffer.from('II*\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(bitsAt + 8, 4);
  const bits = Buffer.from([8, 0, 8, 0, 8, 0, 8, 0]);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2), list(dataAt), list(data.length), bits, directory]);
}

/** Decoded pixels at full size, orientation not applied, every decoder warning an error. */
export function pixels(bytes: Buffer): Promise<Buffer> {
  return sharp(bytes, { failOn: 'warning' }).raw().toBuffer();
}
