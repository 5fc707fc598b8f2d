import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { drawSheet } from '../../../../local/demo/detection/draw.ts';
import { readScenes } from '../../../../local/demo/detection/scenes.ts';

test('a sheet shows each scene with what was answered', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-draw-'));
  try {
    const [scene] = (await readScenes(0, 20)).filter(({ width, height }) => width === 480 && height === 360);
    if (scene === undefined) throw new Error('there is no such scene');
    const answered = [{ class: 'animal', x: 100, y: 200, width: 50, height: 40, score: 0.87 }];
    const sheets = { plain: [], boxed: answered };
    for (const [name, boxes] of Object.entries(sheets))
      await drawSheet(path.join(folder, `${name}.png`), [{ scene: { ...scene, boxes: [] }, answered: boxes }]);
    const pixel = async (name: string, left: number, top: number): Promise<number[]> => [
      ...(await sharp(path.join(folder, `${name}.png`))
        .extract({ left, top, width: 1, height: 1 })
        .removeAlpha()
        .raw()
        .toBuffer()),
    ];
    // 8 pixels of edge, and 60 above a picture that is wider than high
    const edge = [8 + 100, 60 + 8 + 220] as const;
    expect(await pixel('boxed', ...edge)).toEqual([0x00, 0x72, 0xb2]);
    expect(await pixel('plain', ...edge)).not.toEqual([0x00, 0x72, 0xb2]);
    expect(await sharp(path.join(folder, 'boxed.png')).metadata()).toMatchObject({ width: 1472, height: 496 });
  } finally {
    await rm(folder, { recursive: true });
  }
});
