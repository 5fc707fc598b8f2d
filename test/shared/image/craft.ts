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

/** Decoded pixels at full size, orientation not applied, every decoder warning an error. */
export function pixels(bytes: Buffer): Promise<Buffer> {
  return sharp(bytes, { failOn: 'warning' }).raw().toBuffer();
}
