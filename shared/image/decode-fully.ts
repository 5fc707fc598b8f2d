/** The decode that a sample has to pass: every pixel at full size, since only that finds all damage. */
import { describePixels, type PixelDescription, type Pixels } from './pixels.ts';
import { openImage } from './sharp-engine.ts';
import { partsAsShown, type Region } from './shown.ts';
import { type ImageRefusal, type ImageStructure, refuse, saveAgain } from './structure.ts';

type Limits = { maxPixels: number; timeoutSeconds: number };

/** Decodes a picture in so many parts, one after the other, and describes its pixels. Rejects where its decoder does. */
export async function decodeFully(
  bytes: Buffer,
  structure: ImageStructure,
  parts: number,
  limits: Limits,
): Promise<PixelDescription | ImageRefusal> {
  const { width, height, orientation } = structure;
  const open = () =>
    openImage(bytes, { maxPixels: limits.maxPixels, ignoreIcc: true }).timeout({
      seconds: Math.max(1, Math.ceil(limits.timeoutSeconds)),
    });
  const decode = async (region: Region | null): Promise<Pixels> => {
    const { data, info } = await (region === null ? open() : open().extract(region))
      .toColourspace(spaceOf(structure))
      .raw({ depth: structure.depth === 16 ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const samples = structure.depth === 16 ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
    // a WebP may announce transparency and have none: what was decoded counts
    return { samples, width: info.width, height: info.height, channels: info.channels as Pixels['channels'] };
  };
  const whole = parts === 1 ? await decode(null) : null;
  const found = whole ?? (await open().metadata());
  if (found.width !== width || found.height !== height) {
    return refuse(
      'corrupt',
      `The picture announces ${width}x${height} pixels and decodes to ${found.width}x${found.height}. ${saveAgain}`,
    );
  }
  const decoded =
    whole === null ? partsAsShown(structure, orientation, parts).map((region) => () => decode(region)) : [() => whole];
  return describePixels(structure, orientation, oneByOne(decoded));
}

/** One after the other; the pixels of each are given back to the system at once, which the collector would do much later. */
async function* oneByOne(parts: (() => Pixels | Promise<Pixels>)[]): AsyncGenerator<Pixels> {
  for (const decode of parts) {
    const pixels = await decode();
    try {
      yield pixels;
    } finally {
      (pixels.samples.buffer as ArrayBuffer).transfer(0);
    }
  }
}

/** The colour space that leaves samples as they are stored. Of 8-bit grey with alpha sharp would drop the alpha. */
function spaceOf({ channels, depth }: ImageStructure): string {
  if (depth === 16) return channels <= 2 ? 'grey16' : 'rgb16';
  return channels === 1 ? 'b-w' : 'srgb';
}
