import { expect, test } from 'vitest';
import { detectorLine, manifestLine } from '../../../../shared/task/detection/manifest.ts';

const cat = { class: 'cat', x: 1, y: 2, width: 3, height: 4 };
const dogs = { class: 'dog', x: 5, y: 6, width: 7, height: 8, crowd: true as const };
const known = { url: 'http://127.0.0.1/a', md5: '0'.repeat(32), split: 'train' };

test('a job reads the boxes of a sample beside what every line says', () => {
  const line = { ...known, ...manifestLine({ boxes: [cat, dogs] }, new Set(['cat', 'dog'])) };
  expect(detectorLine.parse(JSON.parse(JSON.stringify(line)))).toEqual({ ...known, boxes: [cat, dogs] });
});

test('boxes of classes that the job is not to learn are left out, and what is left may be a negative picture', () => {
  expect(manifestLine({ boxes: [cat, dogs] }, new Set(['cat']))).toEqual({ boxes: [cat] });
  expect(manifestLine({ boxes: [cat] }, new Set(['bird']))).toEqual({ boxes: [] });
});
