import { type ImageFormat, type ImageRefusal, type ImageStructure, refuse, saveAgain } from './structure.ts';
import { walkJpeg } from './structure-jpeg.ts';
import { type PngStructure, walkPng } from './structure-png.ts';
import { type TiffStructure, walkTiff } from './structure-tiff.ts';
import { walkWebp } from './structure-webp.ts';

/** Media type of each format that is read; a TIFF is stored as a PNG. */
export const mediaTypes = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  tiff: 'image/tiff',
} as const satisfies Record<ImageFormat | 'tiff', string>;
/** Types an uploader sends when it does not know: they claim nothing. */
const undeclared = new Set(['', 'application/octet-stream', 'binary/octet-stream']);
/** Other names in use for the same type. */
const aliases = new Map([
  ['image/jpg', 'image/jpeg'],
  ['image/pjpeg', 'image/jpeg'],
  ['image/x-png', 'image/png'],
  ['image/tif', 'image/tiff'],
  ['image/x-tiff', 'image/tiff'],
]);

/**
 * Walks the container of an image: PNG, JPEG, WebP or TIFF by its first bytes, whatever its name says.
 * Never throws for any bytes; reads each byte at most twice and copies no pixel data.
 */
export function walkImage(bytes: Buffer): ImageStructure | PngStructure | TiffStructure | ImageRefusal {
  if (bytes.length === 0)
    return refuse(
      'empty',
      'The file has no bytes. Check that the app closed it before uploading, and upload it again.',
    );
  const format = sniff(bytes);
  if (typeof format !== 'string') return format;
  return walks[format](bytes);
}

const walks = { png: walkPng, jpeg: walkJpeg, webp: walkWebp, tiff: walkTiff };

/** Walks an image as it is stored. Throws an Error where it is none. */
export function walkStored(bytes: Buffer): ImageStructure {
  const structure = walkImage(bytes);
  if (!structure.ok) throw new Error(structure.detail);
  if (structure.format === 'tiff') throw new Error('The file is a TIFF; images are stored as PNG, JPEG or WebP.');
  return structure;
}

/** The declared content type where it contradicts the bytes, made safe to show; null where it agrees or says nothing. */
export function contradiction(declaredType: string | undefined, format: ImageFormat | 'tiff'): string | null {
  const declared = (declaredType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const canonical = aliases.get(declared) ?? declared;
  return undeclared.has(canonical) || canonical === mediaTypes[format] ? null : printable(declared);
}

function sniff(bytes: Buffer): ImageFormat | 'tiff' | ImageRefusal {
  const start = bytes.toString('latin1', 0, 16);
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') return 'webp';
  if (/^(II[*+]\0|MM\0[*+])/.test(start)) return 'tiff';
  const other = otherFormat(bytes, start);
  if (other)
    return refuse(
      'unsupported-format',
      `The file is ${other}; only PNG, JPEG, WebP and TIFF are read. ${conversions.get(other) ?? saveAgain}`,
    );
  return refuse(
    'not-an-image',
    'The file does not start like a PNG, JPEG, WebP or TIFF. Check that it is a picture, and upload it as one of these.',
  );
}

/** How to make something that is read of what phones and cameras write. */
const heic =
  'Convert it with `magick in.heic out.jpg`, or open and export it as JPEG; an iPhone writes JPEG after Settings, Camera, Formats, Most Compatible.';
const conversions = new Map([
  ['a HEIC picture', heic],
  ['an AVIF', 'Convert it with `magick in.avif out.png`.'],
]);

/** Names formats people do upload, only to give a better message; the answer is a refusal either way. */
function otherFormat(bytes: Buffer, start: string): string | null {
  if (start.startsWith('GIF8')) return 'a GIF';
  if (start.slice(4, 8) === 'ftyp') {
    if (/avi[fs]/.test(start)) return 'an AVIF';
    return /ftyp(hei|hev|mif1|msf1)/.test(start) ? 'a HEIC picture' : 'a video';
  }
  if (start.startsWith('BM')) return 'a BMP';
  if (start.startsWith('%PDF')) return 'a PDF';
  if (start.startsWith('\xff\x0a') || start.startsWith('\0\0\0\x0cJXL ')) return 'a JPEG XL';
  if (start.startsWith('\0\0\0\x0cjP  ') || start.startsWith('\xff\x4f\xff\x51')) return 'a JPEG 2000';
  if (/<svg[\s>]/i.test(bytes.toString('latin1', 0, 1024))) return 'an SVG';
  if (bytes.toString('latin1', 128, 132) === 'DICM') return 'a DICOM file';
  return null;
}

/** What an uploader sent goes into a record: bounded, and nothing but visible ASCII. */
function printable(text: string): string {
  return text.slice(0, 100).replaceAll(/[^\x21-\x7e]/g, '?');
}
