import type { ImageFormat, ImageRefusal, ImageStructure } from './structure.ts';
import { refuse, saveAgain } from './structure.ts';
import { walkJpeg } from './structure-jpeg.ts';
import type { PngStructure } from './structure-png.ts';
import { walkPng } from './structure-png.ts';
import { walkWebp } from './structure-webp.ts';

/** Media type of each format that is read. */
export const mediaTypes = { png: 'image/png', jpeg: 'image/jpeg', webp: 'image/webp' } as const satisfies Record<
  ImageFormat,
  string
>;
/** Types an uploader sends when it does not know: they claim nothing. */
const undeclared = new Set(['', 'application/octet-stream', 'binary/octet-stream']);
/** Other names in use for the same type. */
const aliases = new Map([
  ['image/jpg', 'image/jpeg'],
  ['image/pjpeg', 'image/jpeg'],
  ['image/x-png', 'image/png'],
]);

/**
 * Walks the container of an image: PNG, JPEG or WebP by its first bytes, whatever its name says.
 * Never throws for any bytes; reads each byte at most twice and copies no pixel data.
 */
export function walkImage(bytes: Buffer): ImageStructure | PngStructure | ImageRefusal {
  if (bytes.length === 0)
    return refuse(
      'empty',
      'The file has no bytes. Check that the app closed it before uploading, and upload it again.',
    );
  const format = sniff(bytes);
  if (typeof format !== 'string') return format;
  if (format === 'png') return walkPng(bytes);
  return format === 'jpeg' ? walkJpeg(bytes) : walkWebp(bytes);
}

/** The declared content type where it contradicts the bytes, made safe to show; null where it agrees or says nothing. */
export function contradiction(declaredType: string | undefined, format: ImageFormat): string | null {
  const declared = (declaredType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const canonical = aliases.get(declared) ?? declared;
  return undeclared.has(canonical) || canonical === mediaTypes[format] ? null : printable(declared);
}

function sniff(bytes: Buffer): ImageFormat | ImageRefusal {
  const start = bytes.toString('latin1', 0, 16);
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') return 'webp';
  const other = otherFormat(bytes, start);
  if (other)
    return refuse('unsupported-format', `The file is ${other}; only PNG, JPEG and WebP are read. ${saveAgain}`);
  return refuse(
    'not-an-image',
    'The file does not start like a PNG, JPEG or WebP. Check that it is a picture, and upload it as one of these.',
  );
}

/** Names formats people do upload, only to give a better message; the answer is a refusal either way. */
function otherFormat(bytes: Buffer, start: string): string | null {
  if (start.startsWith('GIF8')) return 'a GIF';
  if (start.startsWith('II*\0') || start.startsWith('MM\0*') || start.startsWith('II+\0') || start.startsWith('MM\0+'))
    return 'a TIFF or camera raw file';
  if (start.slice(4, 8) === 'ftyp') return /avi[fs]/.test(start) ? 'an AVIF' : 'a HEIC picture or a video';
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
