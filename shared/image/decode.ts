import { type Budget, createBudget } from '../budget.ts';
import { decodeFully } from './decode-fully.ts';
import { drawingBytes, drawRectangles, type LabelledRectangle } from './draw.ts';
import { checkMemory, decodeBytes, type MemoryLimits, partsWithin, shrinkBytes } from './memory.ts';
import { checkPngData } from './png-data.ts';
import { sanitise } from './sanitise.ts';
import { defaultMaxPixels } from './sharp-engine.ts';
import { type ImageSpec, maxImageBytes } from './size.ts';
import {
  type ImageFormat,
  type ImageRefusal,
  type ImageStructure,
  refuse,
  saveAgain,
  uploadAgain,
} from './structure.ts';
import { tensorOf } from './tensor.ts';
import { tiffToPng } from './tiff-to-png.ts';
import { contradiction, mediaTypes, walkImage, walkStored } from './walk.ts';

/** Something about an accepted image that its owner should know. */
export type ImageWarning = { code: 'narrow-range' | 'converted'; detail: string };

/** A picture that is read, and what is to be said of it without looking at every pixel. */
type ReadableImage = {
  ok: true;
  format: ImageFormat;
  mediaType: (typeof mediaTypes)[ImageFormat];
  /** pixels as shown, after orientation */
  width: number;
  /** pixels as shown, after orientation */
  height: number;
  /** 1 grey, 3 colour, one more with alpha */
  channels: 1 | 2 | 3 | 4;
  /** the image without metadata and without what followed its end: what is hashed and stored */
  bytes: Buffer;
  /** bytes behind the end of the picture, which were cut off */
  trailingBytes: number;
  /** the declared content type, where it contradicts the bytes, which are believed */
  declaredType: string | null;
};

/** An image that may become a sample. */
export type AcceptedImage = ReadableImage & {
  /** the same for the same pixels in any file, see `describePixels` */
  pixelDigest: string;
  /** nearly the same for pictures that look the same: a difference hash, 16 hex digits */
  perceptualHash: string;
  warnings: ImageWarning[];
};
export type ImageVerdict = AcceptedImage | ImageRefusal;

/** An image that a model can be asked about. */
export type PreprocessedImage = ReadableImage & {
  /** channels * height * width floats, see `toTensor` */
  tensor: Float32Array;
};

export type ImageReader = {
  /**
   * Judges the bytes of one upload; `declaredType` is its content type, which is noted where it is wrong. Bad images are answers, not errors:
   * it rejects only when this process is overloaded, which is worth a retry.
   */
  inspect(bytes: Buffer, declaredType?: string): Promise<ImageVerdict>;
  /** Judges as `inspect` does and makes the input of a model, in one decode. That its size is as announced, `inspect` alone checks. */
  preprocess(
    bytes: Buffer,
    declaredType: string | undefined,
    spec: ImageSpec,
  ): Promise<PreprocessedImage | ImageRefusal>;
  /** Draws rectangles on the upright picture, of which it judges as `preprocess` does: a PNG for a person, see `drawRectangles`. */
  draw(bytes: Buffer, rectangles: readonly LabelledRectangle[]): Promise<Buffer | ImageRefusal>;
  /** The `toTensor` of accepted images, within the limits of this reader. Rejects with RetryLater when it is overloaded. */
  toTensor(bytes: Buffer, spec: ImageSpec): Promise<Float32Array>;
};

export type ImageReaderOptions = {
  /** bytes one file may have; the caller should check before it reads the file */
  maxBytes?: number;
  /** pixels one image may have */
  maxPixels?: number;
  /** bytes that one image may take in all: more is refused */
  maxMemoryBytes?: number;
  /** bytes that all who are decoded at a time by this reader share; who would take more alone is decoded in parts, if that helps, and alone */
  sharedMemoryBytes?: number;
  /** time one decode may take */
  timeoutSeconds?: number;
};

/** By default: 50 megapixels of baseline JPEG, some 38 of progressive JPEG as most programs write it, 22 of WebP, 20 to 40 of 16-bit colour. */
const defaultMaxMemoryBytes = 256 * 1024 * 1024;
/** What the largest WebP takes in two parts: less would save nothing, since its decoder holds that much. */
const defaultSharedMemoryBytes = 208 * 1024 * 1024;

/**
 * Creates the one reader of images of a process: walk of the container, removal of metadata, full decode.
 * Share it, since the budget of memory is its own.
 */
export function createImageReader({
  maxBytes = maxImageBytes,
  maxPixels = defaultMaxPixels,
  maxMemoryBytes = defaultMaxMemoryBytes,
  sharedMemoryBytes = Math.min(defaultSharedMemoryBytes, maxMemoryBytes),
  timeoutSeconds = 20,
}: ImageReaderOptions = {}): ImageReader {
  const limits = { budget: createBudget(sharedMemoryBytes), maxBytes, maxPixels, maxMemoryBytes, timeoutSeconds };
  return {
    async inspect(bytes, declaredType) {
      const sound = await open(bytes, limits);
      if (!sound.ok) return sound;
      const { clean, structure } = sound;
      const parts = partsWithin(sharedMemoryBytes, structure);
      const work = () => decodeFully(clean, structure, parts, limits);
      const decoded = await decode(decodeBytes(structure, parts), limits, work);
      if ('ok' in decoded) return decoded;
      const { pixelDigest, perceptualHash, greatest } = decoded;
      const warnings = warningsOf(sound, greatest);
      return { ...describe(sound, declaredType), pixelDigest, perceptualHash, warnings };
    },
    async preprocess(bytes, declaredType, spec) {
      const sound = await open(bytes, limits);
      if (!sound.ok) return sound;
      const { clean, structure } = sound;
      const tensor = await decode(shrinkBytes(structure), limits, () => tensorOf(clean, structure, spec, limits));
      return 'ok' in tensor ? tensor : { ...describe(sound, declaredType), tensor };
    },
    async draw(bytes, rectangles) {
      const sound = await open(bytes, limits);
      if (!sound.ok) return sound;
      const { clean, structure } = sound;
      const work = () => drawRectangles(clean, structure, rectangles, limits);
      return decode(shrinkBytes(structure) + drawingBytes, limits, work);
    },
    async toTensor(bytes, spec) {
      const structure = walkStored(bytes);
      const tensor = await decode(shrinkBytes(structure), limits, () => tensorOf(bytes, structure, spec, limits));
      if ('ok' in tensor) throw new Error(tensor.detail);
      return tensor;
    },
  };
}

type Limits = MemoryLimits & { budget: Budget; maxBytes: number; timeoutSeconds: number };

type SoundFile = {
  ok: true;
  /** of `clean`, but for the bytes that were cut off behind the file's end */
  structure: ImageStructure;
  clean: Buffer;
  /** what the file was before it became `clean` */
  received: ImageFormat | 'tiff';
};

/** All that can be judged without decoding: size, container, checksums; and the bytes without metadata. A TIFF becomes a PNG first. */
async function open(bytes: Buffer, limits: Limits): Promise<SoundFile | ImageRefusal> {
  if (bytes.length > limits.maxBytes) {
    return refuse(
      'too-large-bytes',
      `The file has ${bytes.length} bytes and ${limits.maxBytes} are allowed. Make the picture smaller or compress it more.`,
    );
  }
  const structure = walkImage(bytes);
  if (!structure.ok) return structure;
  const tooMuch = checkMemory(structure, bytes.length, limits);
  if (tooMuch) return tooMuch;
  if (structure.format === 'tiff') {
    const made = await decode(decodeBytes(structure), limits, () => tiffToPng(bytes, structure, limits));
    if (!Buffer.isBuffer(made)) return made;
    const png = await open(made, limits);
    return png.ok ? { ...png, received: 'tiff' } : png;
  }
  const damage = 'compressed' in structure ? await checkPngData(structure) : null;
  return damage ?? { ok: true, structure, clean: sanitise(bytes, structure), received: structure.format };
}

/** Runs a decode of `memoryBytes` within the limits; one that fails or takes too long is a refusal. */
async function decode<T>(
  memoryBytes: number,
  { budget, timeoutSeconds }: Limits,
  work: () => Promise<T>,
): Promise<T | ImageRefusal> {
  const release = await budget.take(memoryBytes);
  // the memory is held until libvips is really done, even when the caller was told of the timeout long before
  const running = work()
    .catch((error: unknown) => undecodable(error, timeoutSeconds))
    .finally(release);
  const { promise: late, resolve } = Promise.withResolvers<ImageRefusal>();
  // libvips looks at its own time limit only between rows; a decoder busy before the first row is answered for here
  const timer = setTimeout(() => resolve(tooSlow(timeoutSeconds)), timeoutSeconds * 1000);
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}

function undecodable(error: unknown, timeoutSeconds: number): ImageRefusal {
  const message = error instanceof Error ? error.message : String(error);
  if (/timeout/i.test(message)) return tooSlow(timeoutSeconds);
  const cause = message.split('\n', 1)[0]?.slice(0, 200);
  return refuse('decode-failed', `The pixels cannot be decoded without errors (${cause}). ${uploadAgain}`);
}

/** Scanners and detectors of 10, 12 or 14 bits put them into the lower ones of 16; a picture that is dark has more. */
const narrowBits = 14;

function warningsOf({ structure, received }: SoundFile, greatest: number): ImageWarning[] {
  const warnings: ImageWarning[] = [];
  if (received === 'tiff')
    warnings.push({ code: 'converted', detail: 'The TIFF is stored as a PNG of the same pixels, turned upright.' });
  if (structure.depth === 8 || greatest >= 2 ** narrowBits) return warnings;
  const bits = Math.max(1, greatest.toString(2).length);
  const detail = `The picture has 16 bits and no value above ${greatest}: ${bits} of them are used, so it is seen almost black. Set image.range of the project to "found", or multiply its values by ${2 ** (16 - bits)} before uploading.`;
  warnings.push({ code: 'narrow-range', detail });
  return warnings;
}

function describe({ clean, structure, received }: SoundFile, declaredType: string | undefined): ReadableImage {
  const { format, width, height, channels, orientation, trailingBytes } = structure;
  const turned = orientation >= 5;
  return {
    ok: true,
    format,
    mediaType: mediaTypes[format],
    width: turned ? height : width,
    height: turned ? width : height,
    channels,
    bytes: clean,
    trailingBytes,
    declaredType: contradiction(declaredType, received),
  };
}

function tooSlow(seconds: number): ImageRefusal {
  return refuse('decode-timeout', `Decoding took longer than ${seconds} s. ${saveAgain}`);
}
