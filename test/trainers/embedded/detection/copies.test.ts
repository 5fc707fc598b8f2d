import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyOf } from '../../../../trainers/embedded/detection/copies.ts';
import { createRandom } from '../../../../trainers/embedded/random.ts';

const shape = { channels: 3, height: 60, width: 80 };
const plane = shape.height * shape.width;

/** A white rectangle on black, which the box is drawn around. */
function picture(x1: number, y1: number, x2: number, y2: number) {
  const pixels = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++)
    for (let y = y1; y < y2; y++) pixels.fill(255, channel * plane + y * 80 + x1, channel * plane + y * 80 + x2);
  return { pixels, boxes: [{ label: 0, x1, y1, x2, y2, ignored: false }] };
}

test('the box of a copy lies around what it lay around, cut at the edges', () => {
  const side = fc.integer({ min: 8, max: 30 });
  const options = { zoom: 0.5, shift: 0.3, flip: true };
  fc.assert(
    fc.property(fc.nat(40), fc.nat(28), side, side, fc.integer(), (x, y, width, height, seed) => {
      const { pixels, boxes } = copyOf(picture(x, y, x + width, y + height), shape, options, createRandom(seed));
      // beside the original everything is grey, and the rectangle is brighter than that
      const bright = [...pixels.subarray(0, plane).keys()].filter((i) => (pixels[i] ?? 0) > 150);
      const [box] = boxes;
      // a pixel is spread over its neighbours
      if (box === undefined) {
        expect(bright.length).toBeLessThan(30);
        return;
      }
      const xs = bright.map((i) => i % 80);
      const ys = bright.map((i) => Math.floor(i / 80));
      if (bright.length === 0) {
        expect(Math.min(box.x2 - box.x1, box.y2 - box.y1)).toBeLessThan(2);
        return;
      }
      const seen = [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
      [box.x1, box.y1, box.x2, box.y2].forEach((edge, i) => expect(Math.abs(edge - (seen[i] ?? 0))).toBeLessThan(1.5));
    }),
    { numRuns: 200 },
  );
});

test('of an object that is mostly out of sight nothing is learned, and one that is gone is no box', () => {
  const original = picture(0, 0, 8, 60);
  const copies = Array.from({ length: 200 }, (_, seed) =>
    copyOf(original, shape, { zoom: 0, shift: 0.2, flip: false }, createRandom(seed)),
  );
  const widths = copies.map(({ boxes: [box] }) => (box === undefined ? 0 : box.x2 - box.x1));
  copies.forEach(({ boxes: [box] }, i) => {
    if (box === undefined) return;
    expect(box.ignored).toBe(((widths[i] ?? 0) * (box.y2 - box.y1)) / (8 * 60) < 0.4);
  });
  expect(widths.some((width) => width === 0)).toBe(true);
  expect(copies.some(({ boxes: [box] }) => box?.ignored === true)).toBe(true);
  expect(copies.some(({ boxes: [box] }) => box?.ignored === false)).toBe(true);
});

test('without any change the copy is the picture', () => {
  const original = picture(10, 10, 30, 20);
  const { pixels, boxes } = copyOf(original, shape, { zoom: 0, shift: 0, flip: false }, createRandom(1));
  expect(boxes).toEqual(original.boxes);
  expect(pixels.every((value, i) => Math.abs(value - (original.pixels[i] ?? 0)) < 1e-3)).toBe(true);
});
