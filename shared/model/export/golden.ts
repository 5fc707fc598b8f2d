/** A picture that is computed, so that whoever serves a model elsewhere can compare what it answers. */
import { crc32, deflateSync } from 'node:zlib';

/** Of no size that a model takes in, so that the resize is compared as well. */
const width = 97;
const height = 61;
const bytesPerPixel = 3;

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** One chunk (https://www.w3.org/TR/png-3/#5Chunk-layout). */
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(8);
  framed.writeUInt32BE(data.length, 0);
  framed.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([framed.subarray(0, 4), body, framed.subarray(4)]);
}

/** A colour picture as PNG, the same bytes always: slopes of red and green, and a disc of blue. */
export function goldenPicture(): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits, RGB
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + width * bytesPerPixel));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const isInDisc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2;
      const pixel = [Math.round((x * 255) / width), Math.round((y * 255) / height), isInDisc ? 220 : 30];
      // a row begins with its filter, of which 0 is none
      rows.set(pixel, y * (1 + width * bytesPerPixel) + 1 + x * bytesPerPixel);
    }
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Its size, for whoever leads places in a model's input back into it. */
export const goldenSize = { width, height };
