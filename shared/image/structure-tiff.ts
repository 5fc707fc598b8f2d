import { asOrientation } from './exif.ts';
import { type ImageRefusal, type ImageStructure, refuse, saveAgain, uploadAgain } from './structure.ts';

/** A TIFF of one page that can be turned into a PNG without loss. It is never stored: see tiff-to-png.ts. */
export type TiffStructure = Omit<ImageStructure, 'format' | 'trailingBytes' | 'metadataEdits'> & { format: 'tiff' };

/** Scanners write 15 to 40 fields; metadata can add some more. */
const maxFields = 512;
/** A strip is some KiB: 64 MiB of them stay far below this. */
const maxParts = 65_536;
/** Bytes of a value by field type (TIFF 6.0, section 2): BYTE, ASCII, SHORT, LONG; others are no size or offset. */
const typeBytes = new Map([
  [1, 1],
  [2, 1],
  [3, 2],
  [4, 4],
]);
/** TIFF 6.0, section 8, and the registered private ones. */
const tag = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  orientation: 274,
  samples: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
  planes: 284,
  palette: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileBytes: 325,
  extraSamples: 338,
  sampleFormat: 339,
} as const;
/** none, LZW, Deflate under its two numbers, PackBits: lossless, and no codec of another format inside */
const compressions = new Set([1, 5, 8, 32_946, 32_773]);
const photometric = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, palette: 3 } as const;

type Fields = {
  /** the numbers of a field, `absent` where there is none; null: unreadable */
  numbers(of: number, absent: number[]): number[] | null;
  has(of: number): boolean;
};

/** How to make something that is read of a TIFF that is not. */
const convertPages =
  'A sample is one picture: save the page you mean as a PNG, or all of them with `magick in.tif page-%d.png`, and upload those.';
const convert =
  'Save it as a PNG with 8 or 16 bits per channel, for instance with `magick in.tif out.png`, and upload that.';

/**
 * Walks the only directory of a TIFF (TIFF 6.0; big and little endian, no BigTIFF): sizes, sample layout, and that every strip or
 * tile lies inside the file. Other fields are not read: they are metadata, and the PNG that is made of it has none.
 */
export function walkTiff(bytes: Buffer): TiffStructure | ImageRefusal {
  const little = bytes.toString('latin1', 0, 2) === 'II';
  const u16 = (at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const u32 = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  if (bytes.length < 8) return refuse('truncated', `The TIFF stops inside its header. ${uploadAgain}`);
  if (u16(2) !== 42) return refuse('unsupported-format', `The file is a BigTIFF, which is not read. ${convert}`);
  const directory = u32(4);
  const count = directory + 2 <= bytes.length ? u16(directory) : 0;
  const end = directory + 2 + count * 12;
  if (count === 0 || end + 4 > bytes.length)
    return refuse('truncated', `The directory of the TIFF lies beyond its end. ${uploadAgain}`);
  if (count > maxFields)
    return refuse(
      'too-many-parts',
      `The TIFF has more than ${maxFields} fields, which no scanner writes. ${saveAgain}`,
    );
  if (u32(end) !== 0) return refuse('unsupported-format', `The TIFF has more than one page. ${convertPages}`);
  const at = new Map<number, number>();
  for (let field = directory + 2; field < end; field += 12) at.set(u16(field), field);
  return readPicture(bytes, {
    has: (of) => at.has(of),
    numbers(of, absent) {
      const field = at.get(of);
      if (field === undefined) return absent;
      const size = typeBytes.get(u16(field + 2));
      const items = u32(field + 4);
      if (size === undefined || items === 0 || items > maxParts) return null;
      const from = items * size <= 4 ? field + 8 : u32(field + 8);
      if (from + items * size > bytes.length) return null;
      const read = size === 1 ? (place: number) => bytes.readUInt8(place) : size === 2 ? u16 : u32;
      return Array.from({ length: items }, (_, i) => read(from + i * size));
    },
  });
}

type Layout = {
  width: number;
  height: number;
  /** bits of a sample in the file */
  bits: number;
  /** samples of a pixel in the file */
  samples: number;
  separate: boolean;
};

function readPicture(bytes: Buffer, fields: Fields): TiffStructure | ImageRefusal {
  const one = (of: number, absent?: number): number => {
    const numbers = fields.numbers(of, absent === undefined ? [] : [absent]);
    return numbers?.length === 1 ? (numbers[0] as number) : Number.NaN;
  };
  const [width, height] = [one(tag.width), one(tag.height)];
  const samples = one(tag.samples, 1);
  const bits = fields.numbers(tag.bits, [1]);
  if (!(width > 0 && height > 0 && samples > 0) || bits === null)
    return refuse('corrupt', `The TIFF does not say how large its picture is. ${saveAgain}`);
  const form = sampleForm(fields, { samples, bits });
  if (typeof form === 'string') return refuse('unsupported-format', `The TIFF ${form}, which is not read. ${convert}`);
  const layout = { width, height, bits: form.bits, samples, separate: one(tag.planes, 1) === 2 };
  const heldBytes = partBytes(bytes, fields, layout, one);
  if (typeof heldBytes !== 'number') return heldBytes;
  const orientation = asOrientation(one(tag.orientation, 1));
  return {
    ok: true,
    format: 'tiff',
    width,
    height,
    channels: form.channels,
    depth: form.bits === 16 ? 16 : 8,
    orientation,
    heldBytes,
  };
}

/** What the samples of a pixel are; a string says what is not read about them. */
function sampleForm(
  fields: Fields,
  { samples, bits }: { samples: number; bits: number[] },
): { bits: number; channels: TiffStructure['channels'] } | string {
  const [compression] = fields.numbers(tag.compression, [1]) ?? [];
  if (!compressions.has(compression as number)) return `is compressed by method ${compression}`;
  const depth = bits[0] as number;
  if (bits.some((other) => other !== depth) || ![1, 8, 16].includes(depth))
    return `has samples of ${bits.slice(0, 8).join(', ')} bits`;
  const formats = fields.numbers(tag.sampleFormat, [1]);
  // 1 is whole numbers from 0; 4 leaves it open
  if (formats === null || formats.some((format) => format !== 1 && format !== 4))
    return 'has signed or fractional samples';
  const [colours] = fields.numbers(tag.photometric, [Number.NaN]) ?? [];
  const wanted = colours === photometric.rgb ? 3 : 1;
  const alpha = samples - wanted;
  const known =
    colours === photometric.rgb ||
    colours === photometric.whiteIsZero ||
    colours === photometric.blackIsZero ||
    colours === photometric.palette;
  if (!known) return `has colours of kind ${colours}`;
  if (depth === 1 && samples !== 1) return `has ${samples} samples of one bit`;
  if (colours === photometric.palette && (depth !== 8 || samples !== 1 || !fields.has(tag.palette)))
    return 'has a palette of an unusual form';
  if (alpha < 0 || alpha > 1) return `has ${samples} samples in a pixel`;
  const channels = (colours === photometric.palette ? 3 : wanted) + alpha;
  return { bits: depth, channels: channels as TiffStructure['channels'] };
}

/** Checks that all strips or tiles are there, and returns how many bytes of them are held at once. */
function partBytes(
  bytes: Buffer,
  fields: Fields,
  { width, height, bits, samples, separate }: Layout,
  one: (of: number, absent?: number) => number,
): number | ImageRefusal {
  const tiled = fields.has(tag.tileOffsets);
  const partWidth = tiled ? one(tag.tileWidth) : width;
  const partHeight = tiled ? one(tag.tileHeight) : Math.min(height, one(tag.rowsPerStrip, height));
  const planes = separate ? samples : 1;
  const across = Math.ceil(width / partWidth);
  const expected = across * Math.ceil(height / partHeight) * planes;
  const offsets = fields.numbers(tiled ? tag.tileOffsets : tag.stripOffsets, []);
  const sizes = fields.numbers(tiled ? tag.tileBytes : tag.stripBytes, []);
  if (!(partWidth > 0 && partHeight > 0) || offsets?.length !== expected || sizes?.length !== expected)
    return refuse('corrupt', `The TIFF does not say where all of its pixels are. ${saveAgain}`);
  let largest = 0;
  for (let part = 0; part < expected; part += 1) {
    const size = sizes[part] as number;
    if ((offsets[part] as number) + size > bytes.length || size === 0)
      return refuse('truncated', `The TIFF stops before the end of its pixels. ${uploadAgain}`);
    largest = Math.max(largest, size);
  }
  const decoded = Math.ceil((partWidth * bits * (samples / planes)) / 8) * partHeight * planes;
  return (decoded + largest) * (tiled ? across : 1);
}
