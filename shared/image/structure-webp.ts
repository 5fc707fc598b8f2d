import { minimalExif, readOrientation } from './exif.ts';
import {
  type ByteEdit,
  type ImageRefusal,
  type ImageStructure,
  type Orientation,
  refuse,
  saveAgain,
  uploadAgain,
} from './structure.ts';

/** A still picture has at most VP8X, ICCP, ALPH, one image, EXIF, XMP and a few unknown chunks. */
const maxChunks = 64;
/** `RIFF`, size, `WEBP` */
const headerBytes = 12;
/** Where the flags of VP8X stand: it is always the first chunk. */
const flagsAt = 20;
const flags = { animation: 0x02, exif: 0x08, alpha: 0x10, profile: 0x20 } as const;
/**
 * A download that was never finished ends in zeros, and the decoder takes them for pixels. One-coloured pictures end in
 * zeros too, but in no more than a sixteenth of their bytes; so the last eighth must hold something.
 */
const zeroTailShare = 8;
/** Below this the last eighth is too short to tell. */
const zeroTailLeastBytes = 256;

type Chunk = { type: string; start: number; end: number; data: Buffer };
type Size = { width: number; height: number };
type Walk = {
  canvas: (Size & { flags: number }) | null;
  image: (Size & { alpha: boolean }) | null;
  alpha: boolean;
  profile: boolean;
  orientation: Orientation | null;
  edits: ByteEdit[];
};

/**
 * Walks every chunk of a WebP: exact size, one picture, no animation
 * (WebP container specification, RFC 9649; VP8 frame header, RFC 6386 section 9.1).
 */
export function walkWebp(file: Buffer): ImageStructure | ImageRefusal {
  const announced = file.readUInt32LE(4) + 8;
  if (announced > file.length) {
    return refuse('truncated', `The WebP announces ${announced} bytes and has ${file.length}. ${uploadAgain}`);
  }
  const bytes = file.subarray(0, announced);
  const walk: Walk = { canvas: null, image: null, alpha: false, profile: false, orientation: null, edits: [] };
  let at = headerBytes;
  for (let count = 0; at < bytes.length; count += 1) {
    if (count >= maxChunks) {
      return refuse(
        'too-many-parts',
        `The WebP has more than ${maxChunks} chunks, which no camera or scanner writes. ${saveAgain}`,
      );
    }
    const chunk = readChunk(bytes, at);
    if ('reason' in chunk) return chunk;
    const problem = takeChunk(chunk, walk);
    if (problem) return problem;
    at = chunk.end;
  }
  return finish(file, announced, walk);
}

function readChunk(bytes: Buffer, start: number): Chunk | ImageRefusal {
  if (start + 8 > bytes.length)
    return refuse('corrupt', `The WebP ends in ${bytes.length - start} stray bytes. ${uploadAgain}`);
  const type = bytes.toString('latin1', start, start + 4);
  const length = bytes.readUInt32LE(start + 4);
  const dataEnd = start + 8 + length;
  const end = dataEnd + (length % 2);
  if (end > bytes.length) return refuse('truncated', `The WebP stops inside a chunk at byte ${start}. ${uploadAgain}`);
  if (end > dataEnd && bytes[dataEnd] !== 0) {
    return refuse('corrupt', `The WebP has a padding byte at ${dataEnd} that is not zero. ${saveAgain}`);
  }
  return { type, start, end, data: bytes.subarray(start + 8, dataEnd) };
}

function takeChunk(chunk: Chunk, walk: Walk): ImageRefusal | null {
  const { type, start, end, data } = chunk;
  switch (type) {
    case 'VP8X':
      return takeCanvas(chunk, walk);
    case 'ANIM':
    case 'ANMF':
      return animated();
    case 'VP8 ':
    case 'VP8L':
      return takeImage(chunk, walk);
    case 'ALPH':
      if (!walk.canvas || walk.image || walk.alpha) return misplaced(type);
      walk.alpha = true;
      return null;
    case 'ICCP':
      if (!walk.canvas || walk.image || walk.profile) return misplaced(type);
      walk.profile = true;
      return null;
    case 'EXIF':
      walk.orientation ??= readOrientation(data);
      break;
    default:
      break;
  }
  walk.edits.push({ start, end });
  return null;
}

function takeCanvas({ start, data }: Chunk, walk: Walk): ImageRefusal | null {
  if (start !== headerBytes || data.length !== 10) return misplaced('VP8X');
  const bits = data.readUInt8(0);
  if (bits & flags.animation) return animated();
  walk.canvas = { flags: bits, width: 1 + data.readUIntLE(4, 3), height: 1 + data.readUIntLE(7, 3) };
  return null;
}

function takeImage({ type, start, data }: Chunk, walk: Walk): ImageRefusal | null {
  if (walk.image || (!walk.canvas && start !== headerBytes)) return misplaced(type.trim());
  const image = type === 'VP8L' ? readLossless(data) : readLossy(data);
  if (!image) return refuse('corrupt', `The picture inside the WebP has no valid header. ${uploadAgain}`);
  if (data.length >= zeroTailLeastBytes && isZero(data.subarray(-Math.floor(data.length / zeroTailShare)))) {
    return refuse(
      'truncated',
      `The pixel data of the WebP ends in zeros only: the rest was never written. ${uploadAgain}`,
    );
  }
  // four channels of at most 15 bits in VP8L, less in VP8, and the tables
  if (data.length > 8 * image.width * image.height + 65_536) {
    return refuse(
      'trailing-data',
      `The WebP holds more pixel data than its size of ${image.width}x${image.height} needs: something is hidden there. ${saveAgain}`,
    );
  }
  walk.image = image;
  return null;
}

/** VP8 key frame: 3 bytes of tag (bit 0: not a key frame, 19 bits of first partition size), start code, sizes. */
function readLossy(data: Buffer): (Size & { alpha: boolean }) | null {
  if (data.length < 10 || data.readUIntBE(3, 3) !== 0x9d012a) return null;
  const tag = data.readUIntLE(0, 3);
  if (tag & 1 || 10 + (tag >> 5) > data.length) return null;
  const width = data.readUInt16LE(6) & 0x3fff;
  const height = data.readUInt16LE(8) & 0x3fff;
  return width > 0 && height > 0 ? { width, height, alpha: false } : null;
}

/** VP8L: signature byte, then 14 bits of width - 1, 14 of height - 1, alpha hint, 3 bits of version 0. */
function readLossless(data: Buffer): (Size & { alpha: boolean }) | null {
  if (data.length < 5 || data[0] !== 0x2f) return null;
  const bits = data.readUInt32LE(1);
  if (bits >>> 29 !== 0) return null;
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff), alpha: ((bits >>> 28) & 1) === 1 };
}

function isZero(part: Buffer): boolean {
  return part.every((byte) => byte === 0);
}

function finish(file: Buffer, end: number, walk: Walk): ImageStructure | ImageRefusal {
  const { canvas, image, edits } = walk;
  if (!image) return refuse('corrupt', `The WebP holds no picture. ${uploadAgain}`);
  if (canvas && (canvas.width !== image.width || canvas.height !== image.height)) {
    return refuse(
      'corrupt',
      `The WebP announces ${canvas.width}x${canvas.height} pixels and holds ${image.width}x${image.height}. ${saveAgain}`,
    );
  }
  let orientation: Orientation = 1;
  if (canvas) {
    // without the flag readers do not look for EXIF, so it turns nothing
    if (canvas.flags & flags.exif) orientation = walk.orientation ?? 1;
    const kept =
      (canvas.flags & flags.alpha) | (walk.profile ? flags.profile : 0) | (orientation === 1 ? 0 : flags.exif);
    if (kept !== canvas.flags) edits.unshift({ start: flagsAt, end: flagsAt + 1, replacement: Buffer.of(kept) });
    if (orientation !== 1) edits.push({ start: end, end, replacement: exifChunk(orientation) });
  }
  if (end < file.length) edits.push({ start: end, end: file.length });
  const channels = walk.alpha || image.alpha ? 4 : 3;
  return {
    ok: true,
    format: 'webp',
    width: image.width,
    height: image.height,
    channels,
    depth: 8,
    orientation,
    // measured: libwebp's picture and the copy that libvips makes of it, four bytes a pixel each, alpha or not
    heldBytes: 8 * image.width * image.height,
    trailingBytes: file.length - end,
    metadataEdits: edits,
  };
}

function exifChunk(orientation: Orientation): Buffer {
  const content = minimalExif(orientation);
  const head = Buffer.from('EXIF\0\0\0\0', 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

function animated(): ImageRefusal {
  return refuse(
    'animated',
    'The WebP is animated, and a sample is one picture. Save the frame you mean as a still picture.',
  );
}

function misplaced(type: string): ImageRefusal {
  return refuse('corrupt', `The WebP chunk ${type} appears twice or in a wrong place. ${saveAgain}`);
}
