import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { objectNames } from '../../../../local/demo/detection/clip-art.ts';
import { readScenes } from '../../../../local/demo/detection/scenes.ts';

describe('scenes', () => {
  test('show every class, one scene in twenty nothing of them, and the same for the same numbers', async () => {
    const scenes = await readScenes(0, 200);
    const [again] = await readScenes(7, 8);
    const seen = new Set(scenes.flatMap(({ boxes }) => boxes.map((box) => box.class)));
    expect([...seen].sort()).toEqual(Object.keys(objectNames).sort());
    const negative = scenes.filter(({ boxes }) => boxes.length === 0).length;
    expect(negative).toBeGreaterThan(3);
    expect(negative).toBeLessThan(20);
    expect(again?.boxes).toEqual(scenes[7]?.boxes);
    expect((await again?.bytes())?.equals((await scenes[7]?.bytes()) ?? Buffer.alloc(0))).toBe(true);
  });

  test('have boxes that lie in the picture and are no specks', async () => {
    for (const scene of await readScenes(20, 40)) {
      const { boxes, width, height } = scene;
      const { info } = await sharp(await scene.bytes())
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([width, height]);
      for (const box of boxes) {
        expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(-1e-6);
        expect(box.x + box.width).toBeLessThanOrEqual(width + 1e-6);
        expect(box.y + box.height).toBeLessThanOrEqual(height + 1e-6);
        // the smallest object has 13 % of a side before it is turned, and some are thin
        expect(Math.max(box.width, box.height)).toBeGreaterThan(30);
      }
    }
  });
});
