import { expect, test } from 'vitest';
import { bytesOfMaps, copiesThatFit } from '../../../../trainers/embedded/detection/maps.ts';

const input = { channels: 3, height: 320, width: 320 };

test('copies are as many as memory holds beside the pictures, and pictures that do not fit are refused', () => {
  expect(bytesOfMaps(input)).toBe(2 * (40 * 40 * 40 + 112 * 20 * 20 + 320 * 10 * 10));
  expect(copiesThatFit({ train: 300, validation: 60 }, 3, input)).toBe(3);
  expect(copiesThatFit({ train: 2500, validation: 500 }, 3, input)).toBe(1);
  expect(copiesThatFit({ train: 5000, validation: 700 }, 3, input)).toBe(0);
  expect(() => copiesThatFit({ train: 5000, validation: 1000 }, 3, input)).toThrow(
    'the maps of 6000 pictures of 320x320 do not fit',
  );
  expect(copiesThatFit({ train: 0, validation: 1 }, 3, input)).toBe(3);
});
