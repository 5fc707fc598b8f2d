/** A model that has no answer for a sample is wrong about it, wherever that counts. */
import { expect, test } from 'vitest';
import { compareWithBaseline } from '../../../../shared/task/classification/baseline.ts';
import { measure, recallOf, supportOf } from '../../../../shared/task/classification/metrics.ts';

const classes = ['cat', 'dog'];
const judged = [
  ...Array.from({ length: 3 }, () => ({ truth: 0, candidate: 0, champion: null })),
  // two is no index of a class
  { truth: 0, candidate: 2, champion: null },
  { truth: 1, candidate: 1, champion: null },
];

test('no answer lowers accuracy and recall, and the sample still counts as one of its class', () => {
  const measured = measure(judged, classes);
  expect(measured).toMatchObject({ accuracy: 0.8, samples: 5, unanswered: [1, 0], recall: { cat: 0.75, dog: 1 } });
  expect(supportOf(measured)).toEqual([4, 1]);
  expect(recallOf(measured)).toEqual([0.75, 1]);
  expect(compareWithBaseline(judged, classes, measured).accuracy).toBe(0.8);
});

test('where every sample has an answer, nothing is kept of it', () => {
  expect(measure(judged.slice(0, 3), classes)).not.toHaveProperty('unanswered');
});
