import { openImage } from './sharp-engine.ts';
import type { TiffStructure } from './structure-tiff.ts';

/**
 * Makes the PNG that is stored and scored in place of a TIFF: the same pixels, upright, with their colour profile and with
 * nothing else of the file. TIFF holds metadata in too many places to cut it out by bytes, and few programs and no browser
 * show it. Rejects where the pixels cannot be decoded without errors.
 */
export function tiffToPng(
  bytes: Buffer,
  { channels, depth }: TiffStructure,
  limits: { maxPixels: number; timeoutSeconds: number },
): Promise<Buffer> {
  const grey = channels <= 2;
  return openImage(bytes, { maxPixels: limits.maxPixels })
    .timeout({ seconds: Math.max(1, Math.ceil(limits.timeoutSeconds)) })
    .autoOrient()
    .toColourspace(depth === 16 ? (grey ? 'grey16' : 'rgb16') : grey ? 'b-w' : 'srgb')
    .keepIccProfile()
    .png({ compressionLevel: 3 })
    .toBuffer();
}
