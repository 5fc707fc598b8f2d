import { expect, test } from 'vitest';
import { assess, type Assessed } from '../../../../shared/task/detection/assessment.ts';
import { evaluate } from '../../../../shared/task/detection/evaluate.ts';
import { moreFalse } from '../../../../shared/task/detection/gate.ts';
import { settings } from '../../../../shared/task/detection/settings.ts';
import { answerOf, type Seen } from './answers.ts';

const classes = ['cat'];
const cat = { class: 'cat', x: 10, y: 10, width: 20, height: 20 };
const place = { x: 10, y: 10, width: 20, height: 20 };
const right: Seen = { class: 'cat', score: 0.9, box: place };
const nothing: Seen = { class: 'cat', score: 0.8, box: { ...place, x: 40 } };

/** A picture of one cat, and what candidate and champion answer. */
const picture = (candidate: Seen[], champion: Seen[] | null = null): Assessed => {
  const before = champion === null ? null : answerOf(classes, champion);
  return assess({ boxes: [cat] }, answerOf(classes, candidate), before);
};
const times = (count: number, one: Assessed): Assessed[] => Array<Assessed>(count).fill(one);

const judge = (
  assessed: Assessed[],
  gate: object = {},
  champion: { number: number; classes: string[] } | null = null,
) =>
  evaluate({
    assessed,
    ...{ unreadable: 0, classes, champion, gate: settings.gate.parse(gate) },
    version: { byClass: { cat: 1000 }, bySplit: { train: 900, validation: 50, test: assessed.length } },
  }).verdict;
const reasonsOf = (assessed: Assessed[], champion: number | null, gate: object = {}): string =>
  judge(assessed, gate, champion === null ? null : { number: champion, classes }).reasons.join('\n');

test('a model that finds what is there is approved, and the reasons say how well', () => {
  const { decision, reasons } = judge([...times(18, picture([right])), ...times(2, picture([]))]);
  expect(decision).toBe('approved');
  expect(reasons).toEqual([
    'passed: 20 test samples with 20 objects, at least 1 object is needed',
    expect.stringMatching(/^passed: AP50 0\.\d{3}, minimum 0\.5$/),
    'passed: at its score threshold it finds 90.0 % (18 of 20, 95 % interval 68.3 % to 98.8 %), and 0 (0.00 a picture) that are not there',
    'noted: no champion to compare with',
  ]);
});

test('average precision below the minimum is refused, of either kind', () => {
  const off: Seen = { ...right, box: { ...place, width: 14 } };
  const all = times(10, picture([off]));
  expect(judge(all)).toMatchObject({ decision: 'approved', ap50: 1, ap: expect.closeTo(0.5, 9) });
  expect(judge(all, { metric: 'ap', minimum: 0.6 })).toMatchObject({ decision: 'rejected' });
  expect(reasonsOf(all, null, { metric: 'ap', minimum: 0.6 })).toContain(
    'failed: AP 0.500, minimum 0.6; below it are "cat"',
  );
});

test('a model that is sure of nothing is refused, whatever its average precision', () => {
  const unsure = times(10, picture([{ ...right, score: 0.2 }]));
  expect(judge(unsure)).toMatchObject({ decision: 'rejected', ap50: 1, found: 0 });
  expect(reasonsOf(unsure, null)).toContain('an endpoint would answer nothing of use');
});

test('without a test object nothing is judged', () => {
  const empty = assess({ boxes: [] }, answerOf(classes, []), null);
  expect(judge(times(5, empty))).toMatchObject({
    decision: 'rejected',
    reasons: [
      'failed: 5 test samples with 0 objects, at least 1 object is needed',
      expect.stringContaining('no test object'),
    ],
  });
});

test('a champion that alone finds many objects stays', () => {
  const worse = [...times(80, picture([right], [right])), ...times(20, picture([], [right]))];
  const { decision, champion } = judge(worse, {}, { number: 3, classes });
  expect(decision).toBe('rejected');
  expect(champion).toMatchObject({ model: 3, found: 100, onlyChampionFound: 20, onlyCandidateFound: 0 });
  expect(reasonsOf(worse, 3)).toContain('failed: champion (model 3) finds 100.0 % of the same objects');
});

test('one that finds a few other objects is no better for sure', () => {
  const about = [
    ...times(90, picture([right], [right])),
    ...times(5, picture([], [right])),
    ...times(5, picture([right], [])),
  ];
  expect(judge(about, {}, { number: 3, classes })).toMatchObject({ decision: 'approved' });
  expect(reasonsOf(about, 3)).toContain('passed: champion (model 3)');
});

test('a candidate that sees much that is not there is refused, beyond what the settings allow', () => {
  const noisy = [...times(60, picture([right, nothing], [right])), ...times(40, picture([right], [right, nothing]))];
  expect(judge(noisy, { maxMoreFalse: 0 }, { number: 1, classes })).toMatchObject({ decision: 'rejected' });
  expect(reasonsOf(noisy, 1, { maxMoreFalse: 0 })).toContain(
    'failed: 60 (0.60 a picture) detections of nothing, the champion 40 (0.40 a picture); that is more beyond 0.0 %',
  );
  expect(judge(noisy, { maxMoreFalse: 0.5 }, { number: 1, classes })).toMatchObject({ decision: 'approved' });
});

test('few objects are too few to find a champion better, which is said and decides nothing', () => {
  const few = [picture([right], [right]), picture([], [right])];
  expect(reasonsOf(few, 1)).toContain('noted: champion (model 1)');
  expect(reasonsOf(few, 1)).toContain('2 objects are too few');
});

test('the test of two counts is exact: of nine false detections, eight or more at even odds', () => {
  expect(moreFalse(8, 1, 0)).toBeCloseTo((9 + 1) / 512, 12);
  expect(moreFalse(0, 0, 0.25)).toBe(1);
  expect(moreFalse(1, 0, 1)).toBeCloseTo(2 / 3, 12);
});

test('what the test samples cannot say is noted', () => {
  const unanswered = picture([right]);
  const broken = answerOf(classes, [right]);
  broken.outputs['scores']?.data.fill(Number.NaN);
  const assessed = [unanswered, assess({ boxes: [cat] }, broken, null)];
  const { reasons } = evaluate({
    assessed,
    ...{ unreadable: 0, classes: ['cat', 'cow'], gate: {}, champion: { number: 1, classes: ['cat', 'owl'] } },
    version: { byClass: { cat: 2, bird: 4 }, bySplit: { train: 0, validation: 0, test: 2 } },
  }).verdict;
  expect(reasons).toEqual(
    expect.arrayContaining([
      'noted: no test object, so not judged: "cow"',
      'noted: no object to learn from: "cat", "cow"',
      'noted: boxes of classes that the model does not know were left out: "bird"',
      'noted: the champion also knows "owl", which this model cannot answer',
      'noted: 1 test samples got no answer (not-a-number): none of their objects counts as found',
    ]),
  );
});
