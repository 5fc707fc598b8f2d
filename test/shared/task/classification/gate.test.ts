import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from '../../../../shared/task/classification/gate.ts';
import { type Compared, measure, recallOf, supportOf } from '../../../../shared/task/classification/metrics.ts';
import { pairedTest } from '../../../../shared/evaluation/paired-test.ts';
import { type Rules, settings as ofClassifiers } from '../../../../shared/task/classification/settings.ts';

const classes = ['cat', 'dog'];
const gate: Rules = ofClassifiers.gate.parse({});

/** So many samples of one outcome; classes by number. */
const times = (n: number, truth: number, candidate: number, champion: number | null = null): Compared[] =>
  Array.from({ length: n }, () => ({ truth, candidate, champion }));
/** Pairs: both right (of each class half), only the champion, only the candidate, both wrong. */
const pairs = (both: number, onlyChampion: number, onlyCandidate: number, neither = 0): Compared[] => [
  ...times(both / 2, 0, 0, 0),
  ...times(both / 2, 1, 1, 1),
  ...times(onlyChampion, 0, 1, 0),
  ...times(onlyCandidate, 0, 0, 1),
  ...times(neither, 0, 1, 1),
];

/** The probability of at least k heads in n fair throws, in integers. */
function fair(k: number, n: number): number {
  let choose = 1n;
  let sum = 0n;
  for (let i = 0; i <= n; i++) {
    if (i >= k) sum += choose;
    choose = (choose * BigInt(n - i)) / BigInt(i + 1);
  }
  return Number((sum * 10n ** 18n) / 2n ** BigInt(n)) / 1e18;
}

describe('the paired test', () => {
  test('without a margin is the exact one-sided McNemar test', () => {
    fc.assert(
      fc.property(fc.nat(120), fc.nat(120), fc.nat(1000), (champion, candidate, same) => {
        const discordant = champion + candidate;
        const expected = discordant === 0 ? 1 : fair(champion, discordant);
        expect(pairedTest(champion, candidate, discordant + same, 0)).toBeCloseTo(expected, 10);
      }),
      { numRuns: 200 },
    );
  });

  test('finds nothing in a champion that is better by no more than the margin', () => {
    expect(pairedTest(10, 0, 1000, 0)).toBeLessThan(0.001);
    expect(pairedTest(10, 0, 1000, 0.01)).toBe(1);
    expect(pairedTest(30, 10, 1000, 0.02)).toBeGreaterThan(0.3);
    expect(pairedTest(60, 10, 1000, 0.02)).toBeLessThan(0.01);
  });

  test('that speaks for the champion speaks less for it with one more pair for the candidate', () => {
    fc.assert(
      fc.property(fc.nat(80), fc.nat(80), fc.constantFrom(0, 0.01, 0.05), (champion, candidate, margin) => {
        const now = pairedTest(champion, candidate, 500, margin);
        // where it speaks for the candidate the margin is spread over more pairs, and the last digits waver
        if (now < 0.5) expect(pairedTest(champion, candidate + 1, 500, margin)).toBeGreaterThan(now);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the gate', () => {
  test('approves a first model that is good enough, and says why', () => {
    const verdict = decide([...times(90, 0, 0), ...times(10, 1, 0), ...times(100, 1, 1)], classes, gate, null);
    expect(verdict).toMatchObject({ decision: 'approved', samples: 200, accuracy: 0.95, champion: null });
    expect(verdict.reasons).toEqual([
      'passed: 200 test samples, at least 1 is needed',
      'passed: accuracy 95.0 % (190 of 200, 95 % interval 91.0 % to 97.6 %), minimum 80.0 %',
      'passed: recall at least 50.0 % in every class',
      'passed: always answering "dog" is right in 55.0 % (110 of 200); only that right 10, only the model right 90; the model is better (p < 0.001)',
      'noted: no champion to compare with',
    ]);
  });

  test('rejects below the minimum, exactly at it not', () => {
    const dogs = times(50, 1, 1);
    expect(decide([...dogs, ...times(30, 0, 0), ...times(20, 0, 1)], classes, gate, null).decision).toBe('approved');
    const below = decide([...dogs, ...times(29, 0, 0), ...times(21, 0, 1)], classes, gate, null);
    expect(below.decision).toBe('rejected');
    expect(below.reasons[1]).toMatch(/^failed: accuracy 79.0 %/);
  });

  test('rejects when a class is hardly recognised, and names it, unless it is too small to judge', () => {
    const weak = decide([...times(500, 0, 0), ...times(12, 1, 0), ...times(8, 1, 1)], classes, gate, null);
    expect(weak.decision).toBe('rejected');
    expect(weak.reasons[2]).toBe('failed: recall at least 50.0 % in every class; below: "dog" 40.0 %');
    const small = decide([...times(500, 0, 0), ...times(18, 1, 0), ...times(1, 1, 1)], classes, gate, null);
    expect(small.decision).toBe('approved');
    expect(small.reasons.slice(2, 4)).toEqual([
      'passed: recall at least 50.0 % in the 1 of 2 classes that have at least 20 test samples',
      'noted: fewer than 20 test samples, so not judged by recall: "dog" 19',
    ]);
  });

  test('claims nothing of recall where no class has enough samples, and names the first of many classes', () => {
    const { reasons } = decide([...times(4, 0, 0), ...times(3, 1, 1)], classes, gate, null);
    expect(reasons.filter((reason) => reason.includes('recall'))).toEqual([
      'noted: fewer than 20 test samples, so not judged by recall: "cat" 4, "dog" 3',
    ]);
    const many = Array.from({ length: 500 }, (_, i) => `c${i}`);
    const named = decide(times(3, 499, 499), many, gate, null).reasons.find((reason) => reason.includes('recall'));
    expect(named).toContain('"c0" 0, "c1" 0');
    expect(named).toContain('"c19" 0 and 480 more');
  });

  test('rejects when there is nothing to judge by', () => {
    const empty = decide([], classes, { ...gate, minimum: 0 }, null);
    expect(empty).toMatchObject({ decision: 'rejected', interval: { low: 0, high: 1 } });
    expect(empty.reasons).toEqual(['failed: 0 test samples, at least 1 is needed']);
    expect(decide([], classes, gate, 3)).toMatchObject({ decision: 'rejected', champion: null });
  });

  test('keeps a champion that is surely better, and lets an equal or luckless candidate pass', () => {
    const settings = { ...gate, maxRegression: 0 };
    const better = decide(pairs(950, 30, 5), classes, settings, 7);
    expect(better).toMatchObject({
      decision: 'rejected',
      champion: { model: 7, onlyChampionRight: 30, onlyCandidateRight: 5 },
    });
    expect(better.champion?.pValue).toBeCloseTo(fair(30, 35), 12);
    expect(better.reasons.at(-1)).toBe(
      'failed: champion (model 7) 99.5 % on the same samples; only the champion right 30, only the candidate right 5; the champion is better beyond 0.0 % (p < 0.001)',
    );
    expect(decide(pairs(950, 9, 5), classes, settings, 7).decision).toBe('approved');
    expect(decide(pairs(950, 0, 0), classes, settings, 7)).toMatchObject({
      decision: 'approved',
      champion: { pValue: 1 },
    });
  });

  test('allows the regression that the project allows', () => {
    const judged = pairs(950, 30, 5);
    expect(decide(judged, classes, { ...gate, maxRegression: 0.05 }, 7).decision).toBe('approved');
    expect(decide(judged, classes, { ...gate, maxRegression: 0.005 }, 7).decision).toBe('rejected');
  });

  test('finds no champion worse or better in samples that are too few to tell', () => {
    const few = decide([...times(2, 0, 0, 1), ...times(2, 1, 1, 1)], classes, gate, 7);
    expect(few.reasons.at(-1)).toMatch(/^noted: champion .*; 4 samples are too few to find the champion better beyond/);
    const enough = decide([...times(3, 0, 0, 0), ...times(2, 1, 1, 1)], classes, gate, 7);
    expect(enough.reasons.at(-1)).toMatch(/^passed: champion/);
  });

  test('counts a champion that knows other classes as wrong, never as missing', () => {
    const verdict = decide([...times(50, 0, 0, 2), ...times(50, 1, 1, 2)], classes, gate, 3);
    expect(verdict.champion).toMatchObject({ accuracy: 0, onlyCandidateRight: 100, pValue: 1 });
  });
});

test('measures accuracy, recall and confusion with the truth in rows', () => {
  const measured = measure([...times(3, 0, 0), ...times(1, 0, 1), ...times(2, 1, 1), ...times(2, 1, 0)], classes);
  expect(measured).toEqual({
    accuracy: 5 / 8,
    samples: 8,
    recall: { cat: 0.75, dog: 0.5 },
    confusion: [
      [3, 1],
      [2, 2],
    ],
  });
});

test('knows no recall of a class without a test sample', () => {
  const measured = measure(times(3, 0, 0), classes);
  expect(measured.recall).toEqual({ cat: 1 });
  expect(recallOf(measured)).toEqual([1, null]);
  expect(supportOf(measured)).toEqual([3, 0]);
});

test('a verdict is approved exactly when no reason failed', () => {
  const some = fc.array(fc.record({ truth: fc.nat(1), candidate: fc.nat(1), champion: fc.option(fc.nat(2)) }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(some, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (judged, minimum, hasChampion) => {
      const verdict = decide(judged, classes, { ...gate, minimum }, hasChampion ? 1 : null);
      const failed = verdict.reasons.some((r) => r.startsWith('failed: '));
      expect(verdict.reasons.every((r) => /^(passed|failed|noted): /.test(r))).toBe(true);
      expect(verdict.decision).toBe(failed ? 'rejected' : 'approved');
      expect(verdict.interval.low).toBeLessThanOrEqual(verdict.accuracy);
      expect(verdict.interval.high).toBeGreaterThanOrEqual(verdict.accuracy);
    }),
  );
});
