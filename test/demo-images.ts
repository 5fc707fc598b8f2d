/** Runs the demo on a folder of pictures that it makes: shapes in colour, as JPEG, PNG with alpha and WebP of all sizes. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';

const shapes: Record<string, (size: number) => string> = {
  disc: (s) => `<circle cx="${s / 2}" cy="${s / 2}" r="${s / 3}"/>`,
  square: (s) => `<rect x="${s / 4}" y="${s / 4}" width="${s / 2}" height="${s / 2}"/>`,
  triangle: (s) => `<path d="M ${s / 2} ${s / 6} L ${s * 0.85} ${s * 0.8} L ${s * 0.15} ${s * 0.8} z"/>`,
};
const perShape = 130;

/** A picture of one shape: size, place, colour and format vary with its number. */
async function picture(shape: string, i: number): Promise<{ name: string; bytes: Buffer }> {
  const size = 80 + ((i * 37) % 240);
  const [dx, dy] = [((i * 13) % 21) - 10, ((i * 29) % 21) - 10];
  const colour = `hsl(${(i * 47) % 360} 70% ${35 + ((i * 7) % 30)}%)`;
  const background = `hsl(${(i * 91) % 360} 30% 85%)`;
  const drawn = shapes[shape]?.(size) ?? '';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><rect width="100%" height="100%" fill="${background}" fill-opacity="${i % 3 === 1 ? 0.4 : 1}"/><g fill="${colour}" transform="translate(${dx} ${dy})">${drawn}</g></svg>`;
  const image = sharp(Buffer.from(svg));
  if (i % 3 === 0) return { name: `${i}.jpg`, bytes: await image.flatten().jpeg({ quality: 80 }).toBuffer() };
  if (i % 3 === 1) return { name: `${i}.png`, bytes: await image.png().toBuffer() };
  return { name: `${i}.webp`, bytes: await image.webp().toBuffer() };
}

const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-pictures-'));
try {
  for (const shape of Object.keys(shapes)) {
    await mkdir(path.join(folder, shape));
    for (let i = 0; i < perShape; i++) {
      const { name, bytes } = await picture(shape, i);
      await writeFile(path.join(folder, shape, name), bytes);
    }
  }
  process.exitCode = await new Promise<number>((resolve) => {
    const child = spawn('node', ['local/demo/main.ts', '--images', folder], { stdio: 'inherit' });
    child.on('exit', (code) => resolve(code ?? 1));
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
