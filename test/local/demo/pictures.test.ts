import { createInflate } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { digitPng, readDigits } from '../../../local/demo/digits.ts';
import { decompressionBomb, oddFiles } from '../../../local/demo/odd-files.ts';
import { createImageReader } from '../../../shared/image/decode.ts';

describe('digits', () => {
  test('become grey PNGs with exactly the scanned values', async () => {
    const values = Array.from({ length: 784 }, (_, i) => (i % 256) / 255);
    const png = await digitPng(values);
    const { data, info } = await sharp(png).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 28, height: 28, channels: 1 });
    expect([...data]).toEqual(values.map((value) => Math.round(value * 255)));
    expect(await createImageReader().inspect(png, 'image/png')).toMatchObject({ ok: true, channels: 1 });
  });

  test('are dealt out the same way every time, and none twice', async () => {
    const { first, second, holdout } = await readDigits();
    expect([first.length, second.length, holdout.length]).toEqual([1500, 500, 520]);
    const names = [...first, ...second, ...holdout].map(({ label, name }) => `${label}/${name}`);
    expect(new Set(names).size).toBe(2520);
    expect(names.slice(0, 2)).toEqual(['0/scan-0000.png', '1/scan-0000.png']);
    const [nought, one] = first;
    expect((await nought?.bytes())?.equals((await one?.bytes()) ?? Buffer.alloc(0))).toBe(false);
  });
});

describe('odd files', () => {
  test('the bomb is a valid stream of 400 million bytes', async () => {
    const bomb = decompressionBomb();
    expect(bomb.length).toBeLessThan(1_000_000);
    expect(await sharp(bomb, { limitInputPixels: false }).metadata()).toMatchObject({ width: 20_000, height: 20_000 });
    const inflate = createInflate();
    inflate.end(bomb.subarray(8 + 25 + 8, -12 - 4));
    let size = 0;
    for await (const part of inflate) size += (part as Buffer).length;
    expect(size).toBe(20_001 * 20_000);
  });

  test('are refused by ingest where quarantine is expected, and repeat the good bytes otherwise', async () => {
    const { first } = await readDigits();
    const [good] = first;
    if (good === undefined) throw new Error('no digit');
    const reader = createImageReader();
    const files = await oddFiles(good, '5');
    expect(files.map(({ expected }) => expected).sort()).toEqual([
      'conflict',
      'duplicate',
      'quarantined',
      'quarantined',
      'quarantined',
    ]);
    for (const file of files) {
      const bytes = await file.bytes();
      const { ok } = await reader.inspect(bytes, file.contentType);
      expect(ok, file.what).toBe(file.expected !== 'quarantined');
      if (file.expected !== 'quarantined') expect(bytes.equals(await good.bytes())).toBe(true);
      expect(file.label).toBe(file.expected === 'conflict' ? '5' : good.label);
    }
  });
});
