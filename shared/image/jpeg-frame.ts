import { type ImageRefusal, refuse, saveAgain, uploadAgain } from './structure.ts';

/** One colour component of a frame: its id and sampling factors (1 to 4). */
type Component = { id: number; horizontal: number; vertical: number };
/** The frame header of a JPEG; sizes in pixels. */
export type Frame = { width: number; height: number; progressive: boolean; components: Component[] };
/** One scan: which components it carries, whether it is their first, and how many restart markers it has room for. */
export type Scan = { componentIds: number[]; first: boolean; restarts: number };

/** Reads SOF0, SOF1 or SOF2 (ITU-T T.81, B.2.2). */
export function readFrame(marker: number, data: Buffer): Frame | ImageRefusal {
  const count = data[5] ?? 0;
  if (data.length !== 6 + 3 * count)
    return refuse('corrupt', `The frame header of the JPEG has a wrong size. ${uploadAgain}`);
  if (data[0] !== 8) {
    return refuse('unsupported-format', `The JPEG has ${data[0]} bits per channel where only 8 are read. ${saveAgain}`);
  }
  const height = data.readUInt16BE(1);
  const width = data.readUInt16BE(3);
  if (width === 0 || height === 0) {
    return refuse('unsupported-format', `The JPEG does not say its size in its frame header. ${saveAgain}`);
  }
  if (count !== 1 && count !== 3 && count !== 4) {
    return refuse('unsupported-format', `The JPEG has ${count} colour channels where 1, 3 or 4 are read. ${saveAgain}`);
  }
  const components: Component[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = 6 + index * 3;
    const sampling = data.readUInt8(at + 1);
    components.push({ id: data.readUInt8(at), horizontal: sampling >> 4, vertical: sampling & 15 });
  }
  const sane = components.every(
    ({ horizontal, vertical }) => horizontal >= 1 && horizontal <= 4 && vertical >= 1 && vertical <= 4,
  );
  if (!sane || new Set(components.map(({ id }) => id)).size !== count) {
    return refuse('corrupt', `The colour channels of the JPEG are declared wrongly. ${saveAgain}`);
  }
  return { width, height, progressive: marker === 0xc2, components };
}

/** Reads the header of a scan, SOS (ITU-T T.81, B.2.3); `restartInterval` is in blocks (MCU), 0 for none. */
export function readScan(frame: Frame, data: Buffer, restartInterval: number): Scan | ImageRefusal {
  const count = data[0] ?? 0;
  const wrong = refuse('corrupt', `A scan header of the JPEG does not fit its frame. ${saveAgain}`);
  if (count < 1 || count > 4 || data.length !== 4 + 2 * count) return wrong;
  const scanned: Component[] = [];
  for (let index = 0; index < count; index += 1) {
    const component = frame.components.find(({ id }) => id === data[1 + index * 2]);
    if (!component || scanned.includes(component)) return wrong;
    scanned.push(component);
  }
  const spectralStart = data.readUInt8(1 + 2 * count);
  const successiveHigh = data.readUInt8(3 + 2 * count) >> 4;
  return {
    componentIds: scanned.map(({ id }) => id),
    first: !frame.progressive || (spectralStart === 0 && successiveHigh === 0),
    restarts: restartInterval === 0 ? 0 : Math.ceil(blocks(frame, scanned) / restartInterval) - 1,
  };
}

function largestFactors({ components }: Frame): { widest: number; tallest: number } {
  return {
    widest: Math.max(...components.map(({ horizontal }) => horizontal)),
    tallest: Math.max(...components.map(({ vertical }) => vertical)),
  };
}

/** Minimum coded units of a scan: blocks of one component, or groups of blocks of several (T.81, A.2). */
function blocks(frame: Frame, scanned: Component[]): number {
  const { widest, tallest } = largestFactors(frame);
  const [only] = scanned;
  if (scanned.length === 1 && only) {
    const columns = Math.ceil((frame.width * only.horizontal) / widest / 8);
    const rows = Math.ceil((frame.height * only.vertical) / tallest / 8);
    return columns * rows;
  }
  return Math.ceil(frame.width / (8 * widest)) * Math.ceil(frame.height / (8 * tallest));
}

/**
 * Every component must be begun by exactly one scan. The decoder silently paints a missing one grey,
 * and lets a second one paint over the first.
 */
export function checkScans(frame: Frame, scans: Scan[]): ImageRefusal | null {
  for (const { id } of frame.components) {
    const begun = scans.filter(({ first, componentIds }) => first && componentIds.includes(id)).length;
    if (begun === 0) return refuse('truncated', `The JPEG lacks the pixel data of a colour channel. ${uploadAgain}`);
    if (begun > 1) return refuse('corrupt', `The JPEG holds the pixel data of a colour channel twice. ${saveAgain}`);
  }
  return null;
}

/**
 * Bytes of the coefficients of a whole picture, two for each. libjpeg holds them all when a picture comes in several scans,
 * as every progressive one does (jdmaster.c, `has_multiple_scans`).
 */
export function coefficientBytes(frame: Frame): number {
  const { width, height, components } = frame;
  const { widest, tallest } = largestFactors(frame);
  const blocksOf = ({ horizontal, vertical }: Component) =>
    Math.ceil(width / (8 * widest)) * horizontal * Math.ceil(height / (8 * tallest)) * vertical;
  return components.reduce((sum, component) => sum + 2 * 64 * blocksOf(component), 0);
}

/**
 * More pixel data than any encoder makes of a frame: a coefficient takes at most 26 bits, twice that if every byte is
 * stuffed, so 8 bytes for each, sizes rounded up to the largest unit of 32, and some slack for small pictures.
 */
export function mostEntropyBytes({ width, height, components }: Frame): number {
  return 8 * components.length * (Math.ceil(width / 32) * 32) * (Math.ceil(height / 32) * 32) + 4096;
}
