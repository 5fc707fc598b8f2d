import { expect, test } from 'vitest';
import { measure } from '../../../../shared/task/classification/metrics.ts';
import { caveats } from '../../../../shared/task/classification/caveats.ts';

const version = (byClass: Record<string, number>, test: number) => ({
  byClass,
  bySplit: { train: 0, validation: 0, test },
});
const right = (n: number, truth: number) =>
  Array.from({ length: n }, () => ({ truth, candidate: truth, champion: null }));

test('a model that knows every class of its version leaves nothing unsaid', () => {
  const measured = measure([...right(3, 0), ...right(2, 1)], ['cat', 'dog']);
  expect(caveats(measured, ['cat', 'dog'], version({ cat: 20, dog: 20 }, 5), ['cat', 'dog'])).toEqual([]);
});

test('samples of classes that the model does not know, and classes that nothing was learned of, are named', () => {
  const classes = ['cat', 'dog', 'fox', '__proto__'];
  const measured = measure([...right(3, 0), ...right(2, 1)], classes);
  const byClass = { cat: 20, dog: 2, owl: 9 };
  expect(caveats(measured, classes, version(byClass, 8), ['cat', 'owl', 'yak'])).toEqual([
    'noted: 3 test samples of classes that the model does not know were left out: "owl"',
    'noted: no sample to learn from: "dog", "fox", "__proto__"',
    'noted: the champion also knows "owl", "yak", which this model cannot answer',
  ]);
});
