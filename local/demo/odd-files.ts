/** Files that every app uploads some day, made from a good one. */
import { crc32, constants, deflateRawSync } from 'node:zlib';
import sharp from 'sharp';
import type { Picture } from './pictures.ts';

export interface OddFile extends Picture {
  /** what is wrong with it, for people */
  what: string;
  expected: 'quarantined' | 'duplicate' | 'conflict';
}

const bombSide = 20_000;
const adlerBase = 65_521;

function chunk(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(content));
  return Buffer.concat([head, content, tail]);
}

/**
 * A valid grey PNG of 20,000 x 20,000 black pixels: 400 million bytes out of some 400 thousand.
 * Its rows are a hundred copies of one flushed deflate block, so that making it costs milliseconds (RFC 1950, 1951).
 */
export function decompressionBomb(): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(bombSide, 0);
  header.writeUInt32BE(bombSide, 4);
  header[8] = 8;
  const blocks = 100;
  const rows = Buffer.alloc(((bombSide + 1) * bombSide) / blocks);
  const block = deflateRawSync(rows, { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const adler = Buffer.alloc(4);
  // of n zero bytes: the low half stays 1, the high half counts the bytes
  adler.writeUInt16BE(((bombSide + 1) * bombSide) % adlerBase, 0);
  adler.writeUInt16BE(1, 2);
  const lastEmptyBlock = Buffer.from([0x03, 0x00]);
  const data = Buffer.concat([Buffer.from([0x78, 0xda]), ...Array<Buffer>(blocks).fill(block), lastEmptyBlock, adler]);
  const signature = Buffer.from('\u0089PNG\r\n\u001A\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

/** Odd files around one good picture; `otherLabel` is a label it does not have. */
export async function oddFiles(good: Picture, otherLabel: string): Promise<OddFile[]> {
  const bytes = await good.bytes();
  const png = await sharp(bytes).png().toBuffer();
  const odd = (what: string, expected: OddFile['expected'], content: Buffer, file: Partial<Picture> = {}): OddFile => ({
    ...{ what, expected, label: good.label, contentType: 'image/png', bytes: () => Promise.resolve(content) },
    name: `${what.replaceAll(' ', '-')}.png`,
    ...file,
  });
  const extension = good.name.slice(good.name.lastIndexOf('.'));
  const same = { contentType: good.contentType };
  return [
    odd('cut short', 'quarantined', png.subarray(0, Math.floor(png.length / 2))),
    odd('text', 'quarantined', Buffer.from('This is a shopping list: milk, bread, fixer, stop bath.\n')),
    odd('decompression bomb', 'quarantined', decompressionBomb()),
    odd('same bytes again', 'duplicate', bytes, { ...same, name: `same-bytes-again${extension}` }),
    odd('same bytes under another label', 'conflict', bytes, {
      ...same,
      label: otherLabel,
      name: `same-bytes${extension}`,
    }),
  ];
}
