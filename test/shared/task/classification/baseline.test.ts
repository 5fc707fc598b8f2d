import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from '../../../../shared/task/classification/gate.ts';
import type { Compared } from '../../../../shared/task/classification/metrics.ts';
import { type Rules, settings as ofClassifiers } from '../../../../shared/task/classification/settings.ts';

const gate: Rules = ofClassifiers.gate.parse({});
const classes = ['common', 'rare'];

const times = (n: number, truth: number, candidate: number): Compared[] =>
  Array.from({ length: n }, () => ({ truth, candidate, champion: null }));
/** A first model that is right in so many samples of each class, judged with default settings but for `more`. */
const judged = (
  common: { right: number; of: number },
  rare: { right: number; of: number },
  more: Partial<Rules> = {},
) => {
  const samples = [
    ...times(common.right, 0, 0),
    ...times(common.of - common.right, 0, 1),
    ...times(rare.right, 1, 1),
    ...times(rare.of - rare.right, 1, 0),
  ];
  const verdict = decide(samples, classes, { ...gate, ...more }, null);
  return { ...verdict, told: verdict.reasons.find((reason) => reason.includes('always answer')) };
};

describe('with default settings a model', () => {
  test('that is surely right less often than always answering the most frequent class is rejected, whatever its accuracy', () => {
    const worse = judged({ right: 800, of: 950 }, { right: 40, of: 50 });
    expect(worse).toMatchObject({ decision: 'rejected', accuracy: 0.84 });
    expect(worse.baseline).toMatchObject({
      class: 'common',
      accuracy: 0.95,
      onlyBaselineRight: 150,
      onlyCandidateRight: 40,
    });
    expect(worse.told).toBe(
      'failed: always answering "common" is right in 95.0 % (950 of 1000); only that right 150, only the model right 40; that is better (p < 0.001). Add samples of the other classes, or set gate.baseline to "noted"',
    );
  });

  test('that is right less often in samples too few for certainty is rejected too, unless it recognises what is rare', () => {
    expect(judged({ right: 15, of: 18 }, { right: 1, of: 2 })).toMatchObject({
      decision: 'rejected',
      told: expect.stringContaining('that is right more often, and the model is not shown to recognise other classes'),
    });
    expect(judged({ right: 977, of: 990 }, { right: 8, of: 10 })).toMatchObject({
      decision: 'approved',
      told: expect.stringMatching(
        /^passed: .* that is not surely better \(p = 0.192\), and the model recognises other/,
      ),
    });
  });

  test('that always answers the most frequent class, or finds none of the others, is rejected', () => {
    for (const rare of [1, 5, 100])
      expect(judged({ right: 19 * rare, of: 19 * rare }, { right: 0, of: rare })).toMatchObject({
        decision: 'rejected',
        told: expect.stringContaining(`the model recognises none of the ${rare} samples of other classes`),
      });
  });

  test('that is right in all of a few samples is approved, without the claim that it is better', () => {
    expect(judged({ right: 2, of: 2 }, { right: 1, of: 1 })).toMatchObject({
      decision: 'approved',
      told: expect.stringMatching(/^passed: .*too few samples tell whether it is better \(p = 0.500\)$/),
    });
    expect(judged({ right: 9, of: 9 }, { right: 1, of: 1 }).decision).toBe('approved');
  });

  test('that is judged on one class alone is not compared, unless it errs', () => {
    expect(judged({ right: 9, of: 9 }, { right: 0, of: 0 })).toMatchObject({
      decision: 'approved',
      told: 'noted: every test sample is of "common": nothing tells the model from one that always answers "common"',
    });
    expect(judged({ right: 9, of: 10 }, { right: 0, of: 0 }).decision).toBe('rejected');
  });
});

test('a project that only wants it noted has the model approved, and reads the same numbers', () => {
  const noted = judged({ right: 800, of: 950 }, { right: 40, of: 50 }, { baseline: 'noted' });
  expect(noted).toMatchObject({ decision: 'approved', told: expect.stringMatching(/^noted: .* that is better/) });
});

test('no model that is right less often passes without recognising what is not the most frequent class', () => {
  const part = fc.nat(60).chain((of) => fc.record({ of: fc.constant(of), right: fc.nat(of) }));
  fc.assert(
    fc.property(part, part, (common, rare) => {
      fc.pre(common.of + rare.of > 0);
      const { told, baseline, accuracy } = judged(common, rare, { minimum: 0, minimumRecall: 0 });
      if (told?.startsWith('passed')) expect(baseline?.onlyCandidateRight).toBeGreaterThan(0);
      if (told?.startsWith('failed')) expect(accuracy).toBeLessThanOrEqual(baseline?.accuracy ?? 0);
      // an answer that is right where the other is wrong as well speaks for the model
      if (told?.startsWith('passed') && common.right < common.of && accuracy >= (baseline?.accuracy ?? 1))
        expect(judged({ ...common, right: common.right + 1 }, rare, { minimum: 0, minimumRecall: 0 }).told).toMatch(
          /^passed/,
        );
    }),
    { numRuns: 500 },
  );
});
