import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInflate } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digitPng, readDigits } from '../../../local/demo/digits.ts';
import { readFolder } from '../../../local/demo/folder.ts';
import { decompressionBomb, oddFiles } from '../../../local/demo/odd-files.ts';
import { createImageReader } from '../../../shared/image/decode.ts';
import { projectSettings } from '../../../shared/project.ts';

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

describe('a folder of images', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'demo-folder-'));
    for (const label of ['cat', 'dög']) {
      await mkdir(path.join(folder, label));
      for (let i = 0; i < 20; i += 1)
        await writeFile(path.join(folder, label, `${i} ü.${['png', 'JPG', 'webp'][i % 3]}`), 'x');
      await writeFile(path.join(folder, label, 'notes.txt'), 'x');
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('gives 15 % of every label to the holdout and a quarter of the rest to the second upload', async () => {
    const set = await readFolder(folder);
    const count = (pictures: { label: string }[]) =>
      [...Map.groupBy(pictures, (p) => p.label)].map(([l, p]) => [l, p.length]);
    expect(count(set.holdout)).toEqual([
      ['cat', 3],
      ['dög'.normalize('NFC'), 3],
    ]);
    expect(count(set.second)).toEqual([
      ['cat', 4],
      ['dög'.normalize('NFC'), 4],
    ]);
    expect(set.first).toHaveLength(26);
    expect(new Set(set.first.map((p) => p.contentType))).toEqual(new Set(['image/png', 'image/jpeg', 'image/webp']));
    expect(projectSettings.safeParse(set.settings).success).toBe(true);
    expect((await readFolder(folder)).first.map((p) => p.name)).toEqual(set.first.map((p) => p.name));
  });

  test('that holds too little is refused with what is needed', async () => {
    await expect(readFolder(path.join(folder, 'cat'))).rejects.toThrow(/0 label.*at least 2/);
    await expect(readFolder(path.join(folder, 'nowhere'))).rejects.toThrow(/cannot be read \(ENOENT\)/);
    await mkdir(path.join(folder, 'few'));
    await writeFile(path.join(folder, 'few', 'one.png'), 'x');
    await expect(readFolder(folder)).rejects.toThrow(/label "few" has 1 of them, at least 4/);
  });
});
