/** Clip art to compose scenes of: Fluent Emoji by Microsoft, under the MIT licence (npm package @iconify-json/fluent-emoji-flat). */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import sharp from 'sharp';
import * as z from 'zod';

const require = createRequire(import.meta.url);
const iconFile = z.object({
  width: z.number(),
  height: z.number(),
  icons: z.record(z.string(), z.object({ body: z.string() })),
});

/** What detectors learn to find, and the pictures of it that the package has under these names. */
export const objectNames = {
  animal: 'bear cat cow dog duck elephant fox giraffe horse monkey owl penguin rabbit tiger turtle',
  fruit: 'banana cherries grapes green-apple kiwi-fruit lemon mango melon peach pear pineapple strawberry tangerine',
  instrument: 'accordion banjo drum flute guitar long-drum maracas musical-keyboard saxophone trumpet violin',
  vehicle: 'airplane ambulance automobile bicycle bus fire-engine helicopter motorcycle rocket sailboat taxi tractor',
};
/** What lies about as well, and is nothing of that. */
export const clutterNames =
  'balloon bell blossom blue-book cloud fallen-leaf gem-stone glowing-star key light-bulb mushroom pencil red-heart scissors snowflake umbrella wrapped-gift';

/** One picture: SVG of `side` x `side`, and points on its outline, the centre being 0, 0. */
export interface ClipArt {
  name: string;
  body: string;
  side: number;
  outline: readonly (readonly [x: number, y: number])[];
}

/** resolution of outlines: finer than a pixel of a scene */
const outlineSide = 256;
/** half covered */
const opaque = 128;

/** The first and last opaque point of every row: among them is each point that a turned picture can reach furthest with. */
async function outlineOf(body: string, side: number): Promise<[number, number][]> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${outlineSide}" height="${outlineSide}" viewBox="0 0 ${side} ${side}">${body}</svg>`;
  const alpha = await sharp(Buffer.from(svg)).ensureAlpha().extractChannel('alpha').raw().toBuffer();
  const place = (pixels: number): number => (pixels / outlineSide - 0.5) * side;
  return Array.from({ length: outlineSide }, (_, row) => {
    const pixels = alpha.subarray(row * outlineSide, (row + 1) * outlineSide);
    const first = pixels.findIndex((value) => value >= opaque);
    const last = pixels.findLastIndex((value) => value >= opaque) + 1;
    const corners = [place(first), place(last)].flatMap((x) => [row, row + 1].map((y) => [x, place(y)]));
    return first < 0 ? [] : (corners as [number, number][]);
  }).flat();
}

/** Reads pictures by their names in the package, separated by blanks. Throws where there is none of that name. */
export async function readClipArt(names: string): Promise<ClipArt[]> {
  const file = await readFile(require.resolve('@iconify-json/fluent-emoji-flat/icons.json'), 'utf8');
  const { icons, width: side } = iconFile.parse(JSON.parse(file));
  return Promise.all(
    names.split(' ').map(async (name) => {
      const body = icons[name]?.body;
      if (body === undefined) throw new Error(`there is no clip art "${name}"`);
      return { name, body, side, outline: await outlineOf(body, side) };
    }),
  );
}
