import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fit, placementOf, toInput, toPicture } from '../../../shared/image/placement.ts';
import { toTensor } from '../../../shared/image/tensor.ts';
import { picture } from './craft.ts';

const pixels = fc.integer({ min: 1, max: 5000 });
const cases = fc.record({
  ...{ picture: fc.record({ width: pixels, height: pixels }), fit: fc.constantFrom<Fit>('stretch', 'letterbox') },
  input: fc.record({ width: fc.integer({ min: 8, max: 1024 }), height: fc.integer({ min: 8, max: 1024 }) }),
  ...{ x: fc.double({ min: 0, max: 1, noNaN: true }), y: fc.double({ min: 0, max: 1, noNaN: true }) },
});

describe('the place of a picture in an input', () => {
  test('leads from any point of the picture into the input, and back to the same point', () => {
    fc.assert(
      fc.property(cases, ({ picture: size, fit, input, x, y }) => {
        const placement = placementOf(size, { ...input, fit });
        const point = { x: x * size.width, y: y * size.height };
        const inside = toInput(placement, point);
        expect(inside.x).toBeLessThanOrEqual(input.width + 1e-9);
        expect(inside.y).toBeLessThanOrEqual(input.height + 1e-9);
        const back = toPicture(placement, inside);
        expect(Math.abs(back.x - point.x)).toBeLessThan(1e-6);
        expect(Math.abs(back.y - point.y)).toBeLessThan(1e-6);
      }),
    );
  });

  test('of a letterbox keeps its shape, to a pixel', () => {
    fc.assert(
      fc.property(cases, ({ picture: { width, height }, input }) => {
        const { filled } = placementOf({ width, height }, { ...input, fit: 'letterbox' });
        expect(filled.width === input.width || filled.height === input.height).toBe(true);
        const scale = Math.min(input.width / width, input.height / height);
        expect(Math.abs(filled.width - width * scale)).toBeLessThanOrEqual(1);
        expect(Math.abs(filled.height - height * scale)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('brings what a model sees beside the picture to its edge', () => {
    const placement = placementOf({ width: 40, height: 20 }, { width: 10, height: 10, fit: 'letterbox' });
    expect(toPicture(placement, { x: 5, y: 9 })).toEqual({ x: 20, y: 20 });
    expect(toPicture(placement, { x: -1, y: 0 })).toEqual({ x: 0, y: 0 });
  });
});

describe('the input of a model whose kind keeps shapes', () => {
  test.each([1, 3] as const)('is the picture at the top left, and 114 beside it (%d channels)', async (channels) => {
    const bytes = await picture(40, 20).png().toBuffer();
    const inside = await toTensor(bytes, { width: 12, height: 6, channels });
    const input = await toTensor(bytes, { width: 12, height: 9, channels, fit: 'letterbox' });
    expect(input).toHaveLength(12 * 9 * channels);
    for (let channel = 0; channel < channels; channel++) {
      const from = channel * 12 * 9;
      expect(input.subarray(from, from + 72)).toEqual(inside.subarray(channel * 72, (channel + 1) * 72));
      expect(new Set(input.subarray(from + 72, from + 108))).toEqual(new Set([114]));
    }
  });

  test('is the stretched one where the shapes are the same', async () => {
    const bytes = await picture(40, 20).png().toBuffer();
    const spec = { width: 20, height: 10, channels: 3 } as const;
    expect(await toTensor(bytes, { ...spec, fit: 'letterbox' })).toEqual(await toTensor(bytes, spec));
  });

  test('stands beside a picture that is narrower than the input', async () => {
    const bytes = await picture(20, 40).png().toBuffer();
    const input = await toTensor(bytes, { width: 12, height: 8, channels: 1, fit: 'letterbox' });
    const inside = await toTensor(bytes, { width: 4, height: 8, channels: 1 });
    for (let row = 0; row < 8; row++) {
      expect(input.subarray(row * 12, row * 12 + 4)).toEqual(inside.subarray(row * 4, (row + 1) * 4));
      expect(new Set(input.subarray(row * 12 + 4, (row + 1) * 12))).toEqual(new Set([114]));
    }
  });
});
