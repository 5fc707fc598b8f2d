/** A project of scanned digits, with uploads of every outcome. */
import { createRequire } from 'node:module';
import sharp from 'sharp';
import { expect } from 'vitest';
import * as z from 'zod';
import type { Checker } from './client.ts';

const mnist = createRequire(import.meta.url)('mnist') as Record<number, { get(index: number): number[] }>;
/** name of the project */
export const p = 'digits';

/** A scanned digit as PNG. */
export async function digit(label: number, index: number): Promise<Buffer> {
  const grey = Buffer.from((mnist[label]?.get(index) ?? []).map((v) => Math.round(v * 255)));
  return sharp(grey, { raw: { width: 28, height: 28, channels: 1 } })
    .png()
    .toBuffer();
}

/** Upload addresses as they are answered. */
export const urls = z.object({
  value: z.array(z.object({ url: z.string(), headers: z.record(z.string(), z.string()), blob: z.string() })),
});

async function upload(api: Checker, files: { name: string; label?: string; bytes: Buffer }[]): Promise<void> {
  const body = { files: files.map(({ name, label }) => ({ name, label, contentType: 'image/png' })) };
  const { value } = urls.parse((await api.send('upload-urls-post', { params: { project: p }, body })).json);
  await Promise.all(
    value.map(async ({ url, headers }, i) => {
      const put = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(files[i]?.bytes ?? []) });
      expect(put.status).toBe(201);
    }),
  );
}

/** Makes the project, with `more` settings, and uploads 150 labelled digits, one without label, one in conflict and one that is no image. */
export async function createDigits(api: Checker, more: object = {}): Promise<void> {
  const settings = {
    trainer: { name: 'softmax' },
    gate: { minimum: 0.3, minimumRecall: 0, maxRegression: 1, baseline: 'noted' },
    commit: { quietSeconds: 3 },
    ...more,
  };
  expect((await api.send('projects-put', { params: { project: p }, body: settings })).status).toBe(201);
  const files = await Promise.all(
    Array.from({ length: 150 }, async (_, i) => ({
      name: `d${i}.png`,
      label: String(i % 10),
      bytes: await digit(i % 10, Math.floor(i / 10)),
    })),
  );
  const first = files[0]?.bytes ?? Buffer.alloc(0);
  await upload(api, [
    ...files,
    { name: 'nobody-knows.png', bytes: await digit(7, 950) },
    { name: 'other.png', label: '9', bytes: first },
    { name: 'bad.png', label: '1', bytes: Buffer.from('not an image') },
  ]);
}
