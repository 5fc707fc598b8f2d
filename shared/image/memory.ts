/** How much memory a picture takes while it is decoded, known before that from its container. */
import { type ImageFormat, type ImageRefusal, type ImageStructure, refuse } from './structure.ts';
import type { TiffStructure } from './structure-tiff.ts';

/** The limit of JPEG. More takes one row of a scanner that nobody has. */
const maxSide = 65_535;
/** Rows that libvips keeps on the way from the decoder. Measured: 490 to 620 to whole pixels, 1,060 to 1,190 to a small picture. */
const rowsHeld = { whole: 640, small: 1280 };

type Sized = Pick<ImageStructure, 'width' | 'height' | 'channels' | 'depth' | 'orientation' | 'heldBytes'>;

/** Grey with alpha is counted as the four channels that 8 bits of it are decoded to. */
const rowBytes = ({ width, channels, depth }: Sized): number => (width * (channels === 2 ? 4 : channels) * depth) / 8;

/** Bytes that it takes to decode a picture and keep all of its pixels, or those of one of `parts` equal parts at a time. */
export function decodeBytes(picture: Sized, parts = 1): number {
  return picture.heldBytes + rowBytes(picture) * (Math.ceil(picture.height / parts) + rowsHeld.whole);
}

/** For each part, everything before its end is decoded anew: more of them take longer than the memory is worth. */
const mostParts = 4;

/** In how few parts a picture can be decoded within so many bytes; as many as there may be, where even they take more. */
export function partsWithin(bytes: number, picture: Sized): number {
  let parts = 1;
  while (parts < mostParts && decodeBytes(picture, parts) > bytes) parts += 1;
  return parts;
}

/** Bytes that it takes to decode a picture and make a small one of it; one that lies on its side is kept whole to be turned. */
export function shrinkBytes(picture: Sized): number {
  const kept = picture.orientation === 1 ? 0 : picture.height;
  return picture.heldBytes + rowBytes(picture) * (kept + rowsHeld.small);
}

export type MemoryLimits = {
  /** pixels one image may have */
  maxPixels: number;
  /** bytes that one image may take in all: its file twice, what its decoder holds, and its pixels */
  maxMemoryBytes: number;
};

const wholly: Record<ImageFormat | 'tiff', string> = {
  jpeg: 'a progressive JPEG, or one in several scans, is held as a whole',
  png: 'an interlaced PNG is held as a whole',
  webp: 'a WebP is held as a whole',
  tiff: 'a strip or a row of tiles of a TIFF is held as a whole',
};
const megabytes = (bytes: number): number => Math.ceil(bytes / (1024 * 1024));

/** Refuses a picture that would take too much, before anything of it is decoded. */
export function checkMemory(
  picture: ImageStructure | TiffStructure,
  fileBytes: number,
  { maxPixels, maxMemoryBytes }: MemoryLimits,
): ImageRefusal | null {
  const { format, width, height, heldBytes } = picture;
  const size = `The picture is ${width}x${height} pixels`;
  if (Math.max(width, height) > maxSide)
    return refuse(
      'too-many-pixels',
      `${size} and ${maxSide} are allowed on a side. Cut it into parts and upload those.`,
    );
  if (width * height > maxPixels)
    return refuse(
      'too-many-pixels',
      `${size} and ${maxPixels} in all are allowed. Make it smaller and upload it again.`,
    );
  const bytes = 2 * fileBytes + Math.max(decodeBytes(picture), shrinkBytes(picture));
  if (bytes <= maxMemoryBytes) return null;
  const held = heldBytes > 0 ? `, since ${wholly[format]}` : '';
  return refuse(
    'too-many-pixels',
    `${size}, and reading it takes ${megabytes(bytes)} MB${held}; ${megabytes(maxMemoryBytes)} MB are allowed. Make it smaller, or save it as a baseline JPEG or as a PNG of 8 bits without interlacing.`,
  );
}
