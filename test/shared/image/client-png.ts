/** PNGs for the client of docs/preprocessing.md, read by the page alone. */
import { inflateSync } from 'node:zlib';
import type { Picture } from './client.ts';

/** Step 1, for PNGs that are not interlaced and have no palette. */
export function decodePng(bytes: Buffer): Picture {
  const data: Buffer[] = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  const [width, height, bits] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes.readUInt8(24) as 8 | 16];
  const channels = { 0: 1, 2: 3, 4: 2, 6: 4 }[bytes.readUInt8(25)] as number;
  const raw = inflateSync(Buffer.concat(data));
  const step = (channels * bits) / 8;
  const row = width * step;
  const out = Buffer.alloc(row * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw.readUInt8(y * (row + 1));
    for (let x = 0; x < row; x += 1) {
      const left = x >= step ? (out[y * row + x - step] as number) : 0;
      const above = y > 0 ? (out[(y - 1) * row + x] as number) : 0;
      const corner = y > 0 && x >= step ? (out[(y - 1) * row + x - step] as number) : 0;
      const predicted = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter] as number;
      out[y * row + x] = (raw[y * (row + 1) + 1 + x] as number) + predicted;
    }
  }
  const values = Array.from({ length: width * height * channels }, (_, i) =>
    bits === 8 ? (out[i] as number) : out.readUInt16BE(2 * i),
  );
  return { width, height, channels, bits, values };
}

function paeth(left: number, above: number, corner: number): number {
  const [a, b, c] = [left, above, corner].map((value) => Math.abs(left + above - corner - value)) as [
    number,
    number,
    number,
  ];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}
