import type { ImageStructure } from './structure.ts';

/**
 * Removes all metadata from an image by bytes: EXIF but for the orientation, GPS, maker notes, thumbnails, XMP, IPTC,
 * comments, text and times. Pixels are not encoded anew, and what decides their colours stays (ICC profile,
 * gamma, transparency, JFIF and Adobe markers). The same bytes always give the same bytes, and sanitising
 * those again changes nothing. Returns `bytes` itself where nothing has to change.
 */
export function sanitise(bytes: Buffer, structure: ImageStructure): Buffer {
  if (structure.metadataEdits.length === 0) return bytes;
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end, replacement } of structure.metadataEdits) {
    parts.push(bytes.subarray(at, start));
    if (replacement) parts.push(replacement);
    at = end;
  }
  parts.push(bytes.subarray(at));
  const clean = Buffer.concat(parts);
  if (structure.format === 'webp') clean.writeUInt32LE(clean.length - 8, 4);
  return clean.equals(bytes) ? bytes : clean;
}
