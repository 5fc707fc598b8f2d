/** Pictures for a person to look at, with what somebody says of them drawn on top. */
import path from 'node:path';
import sharp from 'sharp';
import { openImage } from './sharp-engine.ts';
import type { ImageStructure } from './structure.ts';

/** A rectangle in pixels of the upright picture, and what stands at its upper edge. */
export interface LabelledRectangle {
  x: number;
  y: number;
  width: number;
  height: number;
  text: string;
  /** rectangles of one group have one colour */
  group: string;
}

/** An sRGB picture: three bytes for each pixel, row by row. */
interface Canvas {
  pixels: Buffer;
  width: number;
  height: number;
}
type Colour = readonly [red: number, green: number, blue: number];

/** Lies beside this source, and in a bundle beside the bundle: a machine in Azure has no fonts. */
const fontFile = path.join(import.meta.dirname, 'dejavu-sans.ttf');

/** Of the longer side: more is more than a screen shows, and below that no text is read. The bytes of a PNG follow: 5 MB at most. */
const mostPixels = 1280;
const fewestPixels = 480;
/** what a drawing takes beside the picture that is decoded: the canvas, the same as PNG, and texts */
export const drawingBytes = 4 * 3 * mostPixels * mostPixels;
/** drawn at most, the first ones: more is a picture of nothing but lines */
const maxRectangles = 300;
/** characters of a text; what is cut off ends in dots */
const maxTextLength = 48;
const fontPixels = 13;
const marginPixels = 2;
/** told apart by whoever sees few colours too (Okabe and Ito) */
const colours: readonly Colour[] = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [213, 94, 0],
  [86, 180, 233],
  [240, 228, 66],
];

/**
 * Draws rectangles on a picture whose container has been walked: a PNG of it, upright, 480 to 1,280 pixels on its longer
 * side. The first rectangles are drawn last, over the others. Throws an Error when the bytes cannot be decoded.
 */
export async function drawRectangles(
  bytes: Buffer,
  structure: ImageStructure,
  rectangles: readonly LabelledRectangle[],
  limits: { maxPixels: number; timeoutSeconds: number },
): Promise<Buffer> {
  const [width, height] =
    structure.orientation >= 5 ? [structure.height, structure.width] : [structure.width, structure.height];
  const longer = Math.max(width, height);
  const scale = Math.min(mostPixels, Math.max(fewestPixels, longer)) / longer;
  const shown = { width: scaled(width, scale), height: scaled(height, scale) };
  const { data, info } = await openImage(bytes, { maxPixels: limits.maxPixels, ignoreIcc: structure.depth === 16 })
    .timeout({ seconds: Math.max(1, Math.ceil(limits.timeoutSeconds)) })
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .resize(shown.width, shown.height, { fit: 'fill' })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`decoded to ${info.channels} channels instead of 3`);
  const canvas = { pixels: data, width: info.width, height: info.height };
  const onCanvas = rectangles
    .slice(0, maxRectangles)
    .map(({ x, y, width: across, height: down, ...said }) => ({
      ...{ x: x * scale, y: y * scale, width: across * scale, height: down * scale, ...said },
      colour: colourOf(said.group),
    }))
    .toReversed();
  for (const rectangle of onCanvas) outline(canvas, rectangle, rectangle.colour);
  for (const rectangle of onCanvas) await label(canvas, rectangle, rectangle.colour);
  return sharp(canvas.pixels, { raw: { width: canvas.width, height: canvas.height, channels: 3 } })
    .png()
    .toBuffer();
}

const scaled = (pixels: number, scale: number): number => Math.max(1, Math.round(pixels * scale));

/** The same for the same group in every picture. */
function colourOf(group: string): Colour {
  let sum = 0;
  for (const character of group) sum = (Math.imul(sum, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return colours[sum % colours.length] as Colour;
}

/** Fills what of a rectangle lies on the canvas; edges are whole pixels. */
function fill(canvas: Canvas, [left, top, right, bottom]: number[], colour: Colour): void {
  const [from, to] = [Math.max(0, left ?? 0), Math.min(canvas.width, right ?? 0)];
  for (let y = Math.max(0, top ?? 0); y < Math.min(canvas.height, bottom ?? 0); y += 1) {
    for (let x = from; x < to; x += 1) canvas.pixels.set(colour, (y * canvas.width + x) * 3);
  }
}

/** Lines of two pixels, the outer one on the rectangle's edge, so that one of a few pixels is seen as well. */
function outline(canvas: Canvas, { x, y, width, height }: Omit<LabelledRectangle, 'text' | 'group'>, colour: Colour) {
  const line = 2;
  const [left, top] = [Math.round(x), Math.round(y)];
  const [right, bottom] = [Math.max(left + line, Math.round(x + width)), Math.max(top + line, Math.round(y + height))];
  fill(canvas, [left, top, right, top + line], colour);
  fill(canvas, [left, bottom - line, right, bottom], colour);
  fill(canvas, [left, top, left + line, bottom], colour);
  fill(canvas, [right - line, top, right, bottom], colour);
}

/** The text on its rectangle's upper edge, or below it where there is no room above; never beside the picture. */
async function label(canvas: Canvas, { x, y, text }: LabelledRectangle, colour: Colour): Promise<void> {
  const typeset = await write(text);
  if (typeset === undefined) return;
  const { data, info } = typeset;
  const [across, down] = [info.width + 2 * marginPixels, info.height + 2 * marginPixels];
  const left = Math.round(Math.max(0, Math.min(x, canvas.width - across)));
  const top = Math.round(y < down ? Math.min(Math.max(0, y), Math.max(0, canvas.height - down)) : y - down);
  fill(canvas, [left, top, left + across, top + down], colour);
  const [red, green, blue] = colour;
  // black on light colours and white on dark ones (Rec. 601 luma)
  const ink = 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? 0 : 255;
  for (let row = 0; row < Math.min(info.height, canvas.height - top - marginPixels); row += 1) {
    for (let column = 0; column < Math.min(info.width, canvas.width - left - marginPixels); column += 1) {
      const cover = (data[(row * info.width + column) * info.channels + 3] ?? 0) / 255;
      const at = ((top + marginPixels + row) * canvas.width + left + marginPixels + column) * 3;
      for (let channel = 0; channel < 3; channel += 1)
        canvas.pixels[at + channel] = Math.round(cover * ink + (1 - cover) * (canvas.pixels[at + channel] ?? 0));
    }
  }
}

/** A text as pixels of which the fourth channel says how much ink is there; undefined: nothing of it is seen. */
async function write(text: string) {
  const font = { font: `DejaVu Sans ${fontPixels}px`, fontfile: fontFile, dpi: 72, rgba: true };
  try {
    return await sharp({ text: { text: markup(text), ...font } })
      .raw()
      .toBuffer({ resolveWithObject: true });
  } catch (error) {
    // of spaces of no width, say: libvips makes no picture without a pixel
    if (error instanceof Error && error.message.includes('no text to render')) return undefined;
    throw error;
  }
}

/** A text as Pango's markup: one line, of whole characters, in which nothing is markup. */
function markup(text: string): string {
  const line = text.toWellFormed().replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/gu, ' ');
  const characters = Array.from(line);
  const cut = characters.length > maxTextLength ? [...characters.slice(0, maxTextLength - 1), '…'] : characters;
  return cut.join('').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
