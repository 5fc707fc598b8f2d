import { expect, test } from 'vitest';
import { departs, keptAnswer, type KeptBoxes } from '../../../../shared/task/detection/smoke.ts';
import { answerOf, type Seen } from './answers.ts';

const classes = ['cat', 'dog'];
const cat = { class: 'cat', score: 0.9, x: 10, y: 10, width: 20, height: 20 };
const seen = ({ class: name, score, ...box }: typeof cat): Seen => ({ class: name, score, box });
const kept = (...boxes: (typeof cat)[]): KeptBoxes => ({
  md5: '0'.repeat(32),
  ...keptAnswer(classes).parse({ boxes }),
});
const compare = (trained: (typeof cat)[], served: (typeof cat)[]) =>
  departs(kept(...trained), answerOf(classes, served.map(seen)));

test('the same boxes agree, also when last digits differ', () => {
  expect(compare([cat], [cat])).toBeUndefined();
  expect(compare([cat], [{ ...cat, score: 0.905, x: 10.4 }])).toBeUndefined();
  expect(compare([], [])).toBeUndefined();
});

test('a box on the threshold may be on either side of it', () => {
  expect(compare([cat], [cat, { ...cat, x: 40, score: 0.305 }])).toBeUndefined();
  expect(compare([cat, { ...cat, x: 40, score: 0.305 }], [cat, { ...cat, x: 40, score: 0.299 }])).toBeUndefined();
});

test.each([
  ['is gone', [cat], [], 'lacks "cat" at 10, 10 with a score of 0.900'],
  ['is elsewhere', [cat], [{ ...cat, x: 14 }], 'lacks "cat"'],
  ['is of another class', [cat], [{ ...cat, class: 'dog' }], 'lacks "cat"'],
  ['is less sure', [cat], [{ ...cat, score: 0.8 }], 'lacks "cat"'],
  ['is new', [cat], [cat, { ...cat, x: 40 }], 'shows "cat" at 40, 10'],
])('a box that %s departs, and is named', (_what, trained, served, said) => {
  expect(compare(trained, served)).toContain(said);
});

test('no answer departs', () => {
  const broken = answerOf(classes, [seen(cat)]);
  broken.outputs['scores']?.data.fill(Number.NaN);
  expect(departs(kept(cat), broken)).toBe('is not answered, and was in training');
});

test.each([
  ['no boxes', {}, 'has no boxes'],
  [
    'a class that the job does not name',
    { boxes: [{ ...cat, class: 'cow' }] },
    'has a box of a class that the job does not name',
  ],
  ['a score above 1', { boxes: [{ ...cat, score: 2 }] }, 'has a score above 1'],
  ['a box without x', { boxes: [{ ...cat, x: undefined }] }, 'has a box without score, x, y, width or height'],
  ['301 boxes', { boxes: Array.from({ length: 301 }, () => cat) }, 'has more than 300 boxes of a sample'],
])('a kept answer with %s is refused', (_what, given, message) => {
  expect(keptAnswer(classes).safeParse(given).error?.issues[0]?.message).toBe(message);
});
