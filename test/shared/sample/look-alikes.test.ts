import { expect, test } from 'vitest';
import { describeLookAlikes, lookAlikes } from '../../../shared/sample/look-alikes.ts';

test('names that differ in case, width or what nobody sees look alike; others do not', () => {
  const names = ['Cat', 'dog', 'cat', 'ｃａｔ', 'c\u200bat', 'ca', '__proto__', 'constructor', 'Dog ', 'dog'];
  expect(lookAlikes(names)).toEqual([['Cat', 'cat', 'ｃａｔ', 'c\u200bat']]);
  expect(lookAlikes([])).toEqual([]);
});

test('a sentence about many of them stays short', () => {
  const group = Array.from({ length: 50 }, (_, n) => `c${'\u200b'.repeat(n)}at`);
  expect(lookAlikes(group)).toEqual([group]);
  expect(describeLookAlikes(group).match(/"/g)).toHaveLength(8);
});
