/** Scenes with the boxes that a model answered, on one sheet that a person can look at. */
import sharp from 'sharp';
import type { Answered } from './found.ts';
import type { Scene, SceneBox } from './scenes.ts';

/** by class, told apart by whoever sees few colours too: blue, orange, green, purple (Okabe and Ito) */
const colours: Record<string, string> = {
  animal: '#0072b2',
  fruit: '#e69f00',
  instrument: '#009e73',
  vehicle: '#cc79a7',
};
const otherColour = '#d55e00';
const across = 3;
/** pixels of a scene's square, and between two */
const side = 480;
const gap = 8;

const rectangle = ({ x, y, width, height }: SceneBox, style: string): string =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="none" ${style}/>`;

/** Class and score on the upper edge of the box, inside of a picture of that width. */
function label({ class: name, score, x, y }: Answered, width: number): string {
  const text = `${name} ${(score * 100).toFixed(0)} %`;
  const colour = colours[name] ?? otherColour;
  const length = text.length * 7 + 4;
  const left = Math.max(0, Math.min(x, width - length));
  const top = Math.max(0, y - 16);
  return (
    `<rect x="${left}" y="${top}" width="${length}" height="16" fill="${colour}"/>` +
    `<text x="${left + 3}" y="${top + 12}" font-family="sans-serif" font-size="12" fill="white">${text}</text>`
  );
}

/** One scene: what is there in dashed white, what was answered in the colour of its class. */
async function drawScene(scene: Scene, answered: readonly Answered[]): Promise<Buffer> {
  const shown = [
    ...scene.boxes.map((box) => rectangle(box, 'stroke="white" stroke-width="1.5" stroke-dasharray="4 3"')),
    ...answered.map((box) => rectangle(box, `stroke="${colours[box.class] ?? otherColour}" stroke-width="3"`)),
    ...answered.map((box) => label(box, scene.width)),
  ].join('');
  const { width, height } = scene;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shown}</svg>`;
  const drawn = await sharp(await scene.bytes())
    .composite([{ input: Buffer.from(svg) }])
    .png()
    .toBuffer();
  return sharp(drawn).resize(side, side, { fit: 'contain', background: '#808080' }).png().toBuffer();
}

/** Writes a PNG of all scenes, three in a row. */
export async function drawSheet(
  file: string,
  scenes: readonly { scene: Scene; answered: readonly Answered[] }[],
): Promise<void> {
  const rows = Math.ceil(scenes.length / across);
  const step = side + gap;
  const tiles = await Promise.all(
    scenes.map(async ({ scene, answered }, i) => ({
      input: await drawScene(scene, answered),
      left: gap + (i % across) * step,
      top: gap + Math.floor(i / across) * step,
    })),
  );
  const sheet = { width: gap + across * step, height: gap + rows * step, channels: 3 as const, background: '#404040' };
  await sharp({ create: sheet }).composite(tiles).png().toFile(file);
}
