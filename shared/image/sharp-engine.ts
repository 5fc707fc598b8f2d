import sharp from 'sharp';
import type { Sharp } from 'sharp';

// No cache: every image is seen once. One thread per image: images are decoded side by side, and results stay the same
// on machines with other numbers of cores.
sharp.cache(false);
sharp.concurrency(1);
// Everything but the four loaders below is blocked for the whole process: SVG, GIF, AVIF, PDF and what libvips may learn
// one day. A TIFF gets to its loader only after a walk that lets few of its many forms through. Files cannot be opened by name at all: images come as bytes.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadTiffBuffer',
  ],
});

/** Pixels one image may have; sharp's own default would let 268 million through. */
export const defaultMaxPixels = 50e6;

/** Opens bytes for decoding such that every warning of a decoder is an error; `ignoreIcc` leaves colours as they are stored. */
export function openImage(
  bytes: Buffer,
  { maxPixels = defaultMaxPixels, ignoreIcc = false }: { maxPixels?: number; ignoreIcc?: boolean } = {},
): Sharp {
  return sharp(bytes, { failOn: 'warning', limitInputPixels: maxPixels, sequentialRead: true, ignoreIcc });
}
