import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseImageSpec as chooseWithin } from '../../../shared/image/size.ts';

const bounds = { least: 16, most: 64, step: 4 };
const chooseImageSpec = (pictures: Parameters<typeof chooseWithin>[0]) => chooseWithin(pictures, bounds);
const samples = (width: number, height: number, channels: number) => [{ width, height, channels }];

test('small pictures keep their size, grey ones their channel', () => {
  expect(chooseImageSpec(samples(28, 28, 1))).toEqual({ width: 28, height: 28, channels: 1 });
  expect(chooseImageSpec(samples(28, 28, 2))).toEqual({ width: 28, height: 28, channels: 1 });
});

test('one coloured picture makes the project coloured', () => {
  expect(chooseImageSpec([...samples(28, 28, 1), ...samples(28, 28, 3)]).channels).toBe(3);
});

test('large pictures shrink to 64 and keep their shape', () => {
  expect(chooseImageSpec(samples(4000, 3000, 3))).toEqual({ width: 64, height: 48, channels: 3 });
});

test('the median decides, not one giant', () => {
  const many = [...samples(32, 32, 3), ...samples(32, 32, 3), ...samples(9000, 20, 3)];
  expect(chooseImageSpec(many)).toEqual({ width: 32, height: 32, channels: 3 });
});

test('a project without pictures gets the largest default', () => {
  expect(chooseImageSpec([])).toEqual({ width: 64, height: 64, channels: 3 });
});

test('a kind may want larger inputs, of its own step and always in colours', () => {
  const wanted = { least: 128, most: 320, step: 32, channels: 3 } as const;
  expect(chooseWithin(samples(4000, 3000, 1), wanted)).toEqual({ width: 320, height: 256, channels: 3 });
  expect(chooseWithin(samples(28, 28, 1), wanted)).toEqual({ width: 128, height: 128, channels: 3 });
});

test('every choice is 16 to 64 and a multiple of 4', () => {
  const size = fc.integer({ min: 1, max: 65_535 });
  const picture = fc.record({ width: size, height: size, channels: fc.integer({ min: 1, max: 4 }) });
  fc.assert(
    fc.property(fc.array(picture), (pictures) => {
      const { width, height } = chooseImageSpec(pictures);
      for (const side of [width, height]) expect(side >= 16 && side <= 64 && side % 4 === 0).toBe(true);
    }),
  );
});
