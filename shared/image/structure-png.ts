import { crc32, inflateSync } from 'node:zlib';
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

/** A sound PNG container; `compressed` and `inflatedBytes` are for the check of its pixel data. */
export type PngStructure = ImageStructure & {
  format: 'png';
  /** contents of the IDAT chunks, in order: one zlib stream */
  compressed: Buffer[];
  /** what that stream must inflate to, exactly */
  inflatedBytes: number;
};

/** Length of the eight-byte signature. */
const signatureBytes = 8;
/** Where the chunk after IHDR starts; the orientation goes here. */
const afterHeader = signatureBytes + 25;
/** Encoders write IDAT in pieces of 8 KiB and more; 64 MiB of them stay far below this. */
const maxChunks = 65_536;
/** Real ICC profiles reach 3 MiB at most (large CMYK tables). */
const maxProfileBytes = 4 * 1024 * 1024;

/**
 * Chunks that change how pixels look, with the least and most bytes they may have (PNG specification, 11.3.2);
 * every other ancillary chunk is metadata and goes.
 */
const renderingChunks = new Map<string, { least: number; most: number }>([
  ['tRNS', { least: 1, most: 256 }],
  ['gAMA', { least: 4, most: 4 }],
  ['cHRM', { least: 32, most: 32 }],
  ['sRGB', { least: 1, most: 1 }],
  ['cICP', { least: 4, most: 4 }],
  ['iCCP', { least: 4, most: maxProfileBytes }],
]);
const animationChunks = new Set(['acTL', 'fcTL', 'fdAT']);
/** Channels in the file and allowed bit depths by colour type (PNG specification, table 11.1). */
const colourTypes = new Map<number, { samples: number; depths: number[] }>([
  [0, { samples: 1, depths: [1, 2, 4, 8, 16] }],
  [2, { samples: 3, depths: [8, 16] }],
  [3, { samples: 1, depths: [1, 2, 4, 8] }],
  [4, { samples: 2, depths: [8, 16] }],
  [6, { samples: 4, depths: [8, 16] }],
]);
/** Adam7 passes: first column, first row, column step, row step (PNG specification, 8.2). */
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

type Header = {
  width: number;
  height: number;
  depth: number;
  colourType: number;
  samples: number;
  interlaced: boolean;
};
type Chunk = { type: string; start: number; end: number; data: Buffer };
type Walk = {
  seen: Set<string>;
  compressed: Buffer[];
  edits: ByteEdit[];
  orientation: Orientation;
  imageDone: boolean;
};

/**
 * Walks every chunk of a PNG: sizes, CRCs, order, end (PNG specification, third edition).
 * Pixel data is not inflated here: see png-data.ts.
 */
export function walkPng(bytes: Buffer): PngStructure | ImageRefusal {
  const first = readChunk(bytes, signatureBytes);
  if ('reason' in first) return first;
  const header = readHeader(first);
  if ('reason' in header) return header;
  const walk: Walk = { seen: new Set(['IHDR']), compressed: [], edits: [], orientation: 1, imageDone: false };
  let at = first.end;
  for (let count = 1; count < maxChunks; count += 1) {
    const chunk = readChunk(bytes, at);
    if ('reason' in chunk) return chunk;
    at = chunk.end;
    if (chunk.type === 'IEND') return finish(bytes, chunk, header, walk);
    const problem = takeChunk(chunk, header, walk);
    if (problem) return problem;
    walk.seen.add(chunk.type);
  }
  return refuse(
    'too-many-parts',
    `The PNG has more than ${maxChunks} chunks, which no camera or scanner writes. ${saveAgain}`,
  );
}

function readChunk(bytes: Buffer, at: number): Chunk | ImageRefusal {
  if (at + 12 > bytes.length) {
    return refuse('truncated', `The PNG stops at byte ${bytes.length} without its end marker (IEND). ${uploadAgain}`);
  }
  const length = bytes.readUInt32BE(at);
  const type = bytes.toString('latin1', at + 4, at + 8);
  if (!/^[A-Za-z]{4}$/.test(type)) {
    return refuse('corrupt', `The PNG has no valid chunk name at byte ${at + 4}. ${uploadAgain}`);
  }
  const end = at + 12 + length;
  if (end > bytes.length) {
    return refuse(
      'truncated',
      `The PNG stops inside its chunk ${type}: ${end} bytes needed, ${bytes.length} there. ${uploadAgain}`,
    );
  }
  if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) {
    return refuse('corrupt', `The checksum of the PNG chunk ${type} at byte ${at} is wrong. ${uploadAgain}`);
  }
  return { type, start: at, end, data: bytes.subarray(at + 8, end - 4) };
}

function readHeader({ type, data }: Chunk): Header | ImageRefusal {
  if (type !== 'IHDR' || data.length !== 13) {
    return refuse('corrupt', `The PNG does not begin with a header chunk (IHDR). ${uploadAgain}`);
  }
  const width = data.readUInt32BE(0);
  const height = data.readUInt32BE(4);
  const depth = data.readUInt8(8);
  const colourType = data.readUInt8(9);
  const known = colourTypes.get(colourType);
  const sane = width > 0 && height > 0 && width < 2 ** 31 && height < 2 ** 31 && known?.depths.includes(depth);
  if (!known || !sane || data.readUInt8(10) !== 0 || data.readUInt8(11) !== 0 || data.readUInt8(12) > 1) {
    return refuse('corrupt', `The PNG header holds values the format does not allow. ${saveAgain}`);
  }
  return { width, height, depth, colourType, samples: known.samples, interlaced: data.readUInt8(12) === 1 };
}

function takeChunk(chunk: Chunk, header: Header, walk: Walk): ImageRefusal | null {
  const { type, data, start, end } = chunk;
  if (type === 'IDAT') {
    if (walk.imageDone)
      return refuse('corrupt', `The PNG continues its pixel data at byte ${start} after another chunk. ${saveAgain}`);
    walk.compressed.push(data);
    return null;
  }
  walk.imageDone = walk.compressed.length > 0;
  if (animationChunks.has(type)) {
    return refuse(
      'animated',
      'The PNG is animated (APNG), and a sample is one picture. Save the frame you mean as a plain PNG.',
    );
  }
  if (type === 'PLTE') return checkPalette(chunk, header, walk);
  if (renderingChunks.has(type)) return checkRendering(chunk, header, walk);
  if (type.charCodeAt(0) < 97) {
    return refuse(
      'corrupt',
      `The PNG holds a required chunk ${type} that the format does not know, or holds it twice. ${saveAgain}`,
    );
  }
  if (type === 'eXIf' && !walk.seen.has('eXIf')) walk.orientation = readOrientation(data);
  walk.edits.push({ start, end });
  return null;
}

function checkPalette({ data }: Chunk, header: Header, walk: Walk): ImageRefusal | null {
  const grey = header.colourType === 0 || header.colourType === 4;
  const entries = data.length / 3;
  const most = header.colourType === 3 ? 2 ** header.depth : 256;
  if (grey || walk.seen.has('PLTE') || walk.imageDone || !Number.isInteger(entries) || entries < 1 || entries > most) {
    return refuse('corrupt', `The palette (PLTE) of the PNG is misplaced or has a wrong size. ${saveAgain}`);
  }
  return null;
}

function checkRendering({ type, data }: Chunk, header: Header, walk: Walk): ImageRefusal | null {
  const bounds = type === 'tRNS' ? transparencyBounds(header) : renderingChunks.get(type);
  if (!bounds || data.length < bounds.least || data.length > bounds.most) {
    return refuse(
      'corrupt',
      `The PNG chunk ${type} has ${data.length} bytes, which the format does not allow. ${saveAgain}`,
    );
  }
  if (walk.seen.has(type) || walk.imageDone) {
    return refuse('corrupt', `The PNG chunk ${type} appears twice or after the pixels it describes. ${saveAgain}`);
  }
  if (type === 'iCCP' && !profileInflates(data)) {
    return refuse('corrupt', `The colour profile (iCCP) of the PNG cannot be read. ${saveAgain}`);
  }
  return null;
}

/** One 16-bit value per colour sample, or one byte per palette entry; none where alpha is in the pixels. */
function transparencyBounds({ colourType, depth }: Header): { least: number; most: number } | null {
  if (colourType === 0) return { least: 2, most: 2 };
  if (colourType === 2) return { least: 6, most: 6 };
  return colourType === 3 ? { least: 1, most: 2 ** depth } : null;
}

/** Bounds the decoder's own inflate of the profile: a bomb here would bypass the pixel limits. */
function profileInflates(data: Buffer): boolean {
  const nameEnd = data.indexOf(0);
  if (nameEnd < 1 || nameEnd > 79 || data[nameEnd + 1] !== 0) return false;
  try {
    inflateSync(data.subarray(nameEnd + 2), { maxOutputLength: maxProfileBytes });
    return true;
  } catch {
    return false;
  }
}

function finish(bytes: Buffer, end: Chunk, header: Header, walk: Walk): PngStructure | ImageRefusal {
  if (end.data.length > 0) {
    return refuse(
      'trailing-data',
      `The end marker (IEND) of the PNG holds ${end.data.length} bytes, which the format does not allow. ${saveAgain}`,
    );
  }
  if (walk.compressed.length === 0 || (header.colourType === 3 && !walk.seen.has('PLTE'))) {
    return refuse(
      'corrupt',
      `The PNG has no ${walk.compressed.length === 0 ? 'pixel data' : 'palette'}. ${uploadAgain}`,
    );
  }
  const colours = header.colourType === 0 || header.colourType === 4 ? 1 : 3;
  const alpha = header.colourType >= 4 || walk.seen.has('tRNS') ? 1 : 0;
  if (end.end < bytes.length) walk.edits.push({ start: end.end, end: bytes.length });
  const exif = { start: afterHeader, end: afterHeader, replacement: exifChunk(walk.orientation) };
  return {
    ok: true,
    format: 'png',
    width: header.width,
    height: header.height,
    channels: (colours + alpha) as ImageStructure['channels'],
    depth: header.depth === 16 ? 16 : 8,
    orientation: walk.orientation,
    heldBytes: header.interlaced ? header.width * header.height * (colours + alpha) * (header.depth === 16 ? 2 : 1) : 0,
    trailingBytes: bytes.length - end.end,
    metadataEdits: walk.orientation === 1 ? walk.edits : [exif, ...walk.edits],
    compressed: walk.compressed,
    inflatedBytes: inflatedBytes(header),
  };
}

function inflatedBytes({ width, height, depth, samples, interlaced }: Header): number {
  const bits = depth * samples;
  const pass = (columns: number, rows: number) =>
    columns > 0 && rows > 0 ? rows * (1 + Math.ceil((columns * bits) / 8)) : 0;
  if (!interlaced) return pass(width, height);
  return adam7.reduce(
    (sum, [x, y, dx, dy]) => sum + pass(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)),
    0,
  );
}

function exifChunk(orientation: Orientation): Buffer {
  const content = Buffer.concat([Buffer.from('eXIf', 'latin1'), minimalExif(orientation)]);
  const chunk = Buffer.alloc(content.length + 8);
  chunk.writeUInt32BE(content.length - 4, 0);
  content.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(content), content.length + 4);
  return chunk;
}
