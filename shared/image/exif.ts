import type { Orientation } from './structure.ts';

const exifPrefix = Buffer.from('Exif\0\0', 'latin1');
const orientationTag = 0x0112;
const shortType = 3;
/** IFD0 of a real camera has some 10-30 entries; more than this is not worth reading for one tag. */
const maxEntries = 512;

/**
 * Reads the orientation out of an EXIF block (with or without the `Exif\0\0` prefix).
 * Anything unreadable counts as upright (1), as in browsers. TIFF 6.0 section 2, CIPA DC-008.
 */
export function readOrientation(exif: Buffer): Orientation {
  const tiff = startsWithExif(exif) ? exif.subarray(exifPrefix.length) : exif;
  if (tiff.length < 8) return 1;
  const order = tiff.toString('latin1', 0, 2);
  if (order !== 'II' && order !== 'MM') return 1;
  const little = order === 'II';
  const u16 = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const u32 = (at: number) => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  if (u16(2) !== 42) return 1;
  const directory = u32(4);
  if (directory + 2 > tiff.length) return 1;
  const entries = Math.min(u16(directory), maxEntries);
  for (let index = 0; index < entries; index += 1) {
    const at = directory + 2 + index * 12;
    if (at + 12 > tiff.length) return 1;
    if (u16(at) !== orientationTag) continue;
    return u16(at + 2) === shortType && u32(at + 4) === 1 ? asOrientation(u16(at + 8)) : 1;
  }
  return 1;
}

/** True when the block starts with `Exif\0\0`, as it does in JPEG and in some WebP files. */
export function startsWithExif(block: Buffer): boolean {
  return block.length >= exifPrefix.length && block.compare(exifPrefix, 0, 6, 0, 6) === 0;
}

/** The smallest EXIF block that carries an orientation and nothing else: 26 bytes of TIFF, no prefix. */
export function minimalExif(orientation: Orientation): Buffer {
  const tiff = Buffer.alloc(26);
  tiff.write('II', 0, 'latin1');
  tiff.writeUInt16LE(42, 2);
  tiff.writeUInt32LE(8, 4);
  tiff.writeUInt16LE(1, 8);
  tiff.writeUInt16LE(orientationTag, 10);
  tiff.writeUInt16LE(shortType, 12);
  tiff.writeUInt32LE(1, 14);
  tiff.writeUInt16LE(orientation, 18);
  return tiff;
}

/** The same with the `Exif\0\0` prefix, as JPEG's APP1 wants it. */
export function minimalJpegExif(orientation: Orientation): Buffer {
  return Buffer.concat([exifPrefix, minimalExif(orientation)]);
}

/** The number as an orientation; 1 where it is none. */
export function asOrientation(value: number): Orientation {
  return value >= 1 && value <= 8 ? (value as Orientation) : 1;
}
