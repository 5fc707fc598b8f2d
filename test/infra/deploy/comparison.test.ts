import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareTelemetry,
  comparisonAsMarkdown,
  type Count,
  minimumSamples,
  overall,
  significance,
} from '../../../infra/deploy/comparison.ts';
import { tailOfDraw } from '../../../infra/deploy/hypergeometric.ts';

const count = (change: Partial<Count>): Count => ({
  ...{ stage: 'ingest', after: false, failed: false, bin: 20, records: 100 },
  ...change,
});
const verdicts = (counts: Count[]) => compareTelemetry(counts).map(({ measure, verdict }) => [measure, verdict]);

const someCounts = fc.array(
  fc.record({
    stage: fc.constantFrom('ingest', 'score', 'train'),
    after: fc.boolean(),
    failed: fc.boolean(),
    bin: fc.integer({ min: 0, max: 80 }),
    records: fc.integer({ min: 0, max: 400 }),
  }),
  { maxLength: 30 },
);

describe('the chance of a draw', () => {
  test('is that of the tea taster: all four cups right by guessing in one of seventy', () => {
    expect(tailOfDraw(4, 4, 4, 8)).toBeCloseTo(1 / 70, 12);
    expect(tailOfDraw(3, 4, 4, 8)).toBeCloseTo(17 / 70, 12);
  });

  test('is that of counting every draw', () => {
    const sizes = fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 }), fc.nat({ max: 9 }));
    fc.assert(
      fc.property(sizes, ([all, markedRaw, drawnRaw]) => {
        const [marked, drawn] = [Math.min(markedRaw, all), Math.min(drawnRaw, all)];
        const found = new Map<number, number>();
        let draws = 0;
        for (let mask = 0; mask < 2 ** all; mask++) {
          const bits = Array.from({ length: all }, (_, i) => (mask >> i) & 1);
          const sum = (of: number[]): number => of.reduce((total, bit) => total + bit, 0);
          if (sum(bits) !== drawn) continue;
          draws++;
          const hits = sum(bits.slice(0, marked));
          found.set(hits, (found.get(hits) ?? 0) + 1);
        }
        for (let least = 0; least <= all + 1; least++) {
          const ways = [...found].reduce((sum, [hits, times]) => sum + (hits >= least ? times : 0), 0);
          expect(tailOfDraw(least, drawn, marked, all)).toBeCloseTo(ways / draws, 9);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('telemetry before and after', () => {
  test('nothing is said of fewer records than the minimum, on either side', () => {
    const few = { records: minimumSamples - 1 };
    expect(verdicts([count({}), count({ after: true, failed: true, ...few })])[0]).toEqual([
      'failures',
      'too few samples',
    ]);
    expect(verdicts([count(few), count({ after: true, failed: true })])[0]).toEqual(['failures', 'too few samples']);
    expect(overall(compareTelemetry([count(few)]))).toBe('too few samples');
    expect(overall([])).toBe('too few samples');
  });

  test('a stage that begins to fail is worse, and one that failed as often before is not', () => {
    const failing = (after: boolean, records: number) => count({ after, failed: true, records });
    expect(verdicts([count({ records: 1000 }), count({ after: true, records: 90 }), failing(true, 10)])[0]).toEqual([
      'failures',
      'worse',
    ]);
    expect(
      verdicts([
        count({ records: 900 }),
        failing(false, 100),
        count({ after: true, records: 90 }),
        failing(true, 10),
      ])[0],
    ).toEqual(['failures', 'as before']);
  });

  test('a stage that takes one and a half times as long is worse, and one that is faster is not', () => {
    // 50 to 1,600 ms, most of them near 200 ms, as handlers take
    const usual = (after: boolean, shift: number): Count[] =>
      [2, 10, 40, 100, 40, 10, 2].map((records, i) => count({ after, records, bin: 22 + i * 2 + shift }));
    const slow = (shift: number) => verdicts([...usual(false, 0), ...usual(true, shift)])[1];
    expect(slow(0)).toEqual(['slow', 'as before']);
    expect(slow(-4)).toEqual(['slow', 'as before']);
    expect(slow(3)).toEqual(['slow', 'worse']);
  });

  test('scoring errors are failures of the stage that scores', () => {
    const scores = [count({ stage: 'score', records: 500 }), count({ stage: 'score', after: true, records: 40 })];
    const shares = compareTelemetry([...scores, count({ stage: 'score', after: true, failed: true, records: 5 })]);
    expect(shares.find(({ measure }) => measure === 'failures')).toMatchObject({ stage: 'score', verdict: 'worse' });
    const text = comparisonAsMarkdown('prod', '2026-11-01T10:00:00Z', 24, shares);
    expect(text).toContain('--environment prod --release previous');
    expect(text).toContain('| score | failed | 0.0 % of 500 | 11.1 % of 45 |');
  });

  test('order and division of the counts do not matter', () => {
    fc.assert(
      fc.property(someCounts, fc.infiniteStream(fc.nat()), (counts, numbers) => {
        const parts = counts.flatMap((one) => {
          const first = numbers.next().value % (one.records + 1);
          return [
            { ...one, records: first },
            { ...one, records: one.records - first },
          ];
        });
        const shuffled = parts.map((one) => [numbers.next().value, one] as const).sort(([a], [b]) => a - b);
        expect(compareTelemetry(shuffled.map(([, one]) => one))).toEqual(compareTelemetry(counts));
      }),
    );
  });

  test('the same records before and after are never worse', () => {
    fc.assert(
      fc.property(someCounts, (counts) => {
        const twice = counts.flatMap((one) => [
          { ...one, after: false },
          { ...one, after: true },
        ]);
        expect(overall(compareTelemetry(twice))).not.toBe('worse');
      }),
    );
  });

  test('more failures after never make a verdict better', () => {
    fc.assert(
      fc.property(someCounts, fc.integer({ min: 1, max: 300 }), (counts, records) => {
        const more = [...counts, count({ after: true, failed: true, records })];
        const chance = (of: Count[]) => compareTelemetry(of).find(({ stage }) => stage === 'ingest')?.chance ?? 1;
        expect(chance(more)).toBeLessThanOrEqual(chance(counts) + 1e-9);
      }),
    );
  });

  test('random halves of one stream are called worse as seldom as promised', () => {
    let false_ = 0;
    const runs = 2000;
    let state = 7;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (let i = 0; i < runs; i++) {
      const failures = (of: number): number => Array.from({ length: of }, random).filter((one) => one < 0.1).length;
      const [before, after] = [failures(300), failures(60)];
      const shares = compareTelemetry([
        ...[count({ records: 300 - before }), count({ failed: true, records: before })],
        ...[count({ after: true, records: 60 - after }), count({ after: true, failed: true, records: after })],
      ]);
      if (shares[0]?.verdict === 'worse') false_++;
    }
    // expected: at most 2 of 2,000
    expect(false_ / runs).toBeLessThanOrEqual(significance * 4);
  });
});
