import { describe, expect, test } from 'vitest';
import { centre, fitLogistic, foldCentring, measure, predict, type Rows } from '../../../trainers/embedded/logistic.ts';
import { createRandom } from '../../../trainers/embedded/random.ts';

const quiet = { threads: 1, afterStep: () => Promise.resolve() };
const random = createRandom(11);

/** Rows around one corner for each class, far from zero. */
function clusters(count: number, size: number, classes: number, spread: number): Rows {
  const labels = Array.from({ length: count }, (_, i) => i % classes);
  const values = Float32Array.from({ length: count * size }, (_, at) => {
    const [row, column] = [Math.floor(at / size), at % size];
    return 5 + (column % classes === row % classes ? 1 : 0) + spread * random.normal();
  });
  return { values, size, labels };
}

/** Mean cross entropy plus the penalty, of scaled rows: what is to be least. */
function costOf(rows: Rows, head: Map<string, Float32Array>, classes: number, strength: number): number {
  const { scale } = measure(rows);
  const probabilities = predict(head, rows, classes);
  const loss = rows.labels.reduce((sum, label, i) => sum - Math.log(probabilities[i * classes + label] ?? 0), 0);
  const square = (head.get('head.weights') ?? new Float32Array()).reduce((sum, w) => sum + (w * scale) ** 2, 0);
  return (loss + square / (2 * strength)) / rows.labels.length;
}

describe('logistic regression', () => {
  test('ends where every step away costs more', async () => {
    const rows = clusters(40, 6, 3, 0.8);
    const head = await fitLogistic(rows, 3, 10, quiet);
    const least = costOf(rows, head, 3, 10);
    for (const name of ['head.weights', 'head.bias']) {
      const values = head.get(name) ?? new Float32Array();
      for (let at = 0; at < values.length; at++) {
        for (const step of [-0.02, 0.02]) {
          const moved = new Map(head).set(
            name,
            values.map((value, i) => (i === at ? value + step : value)),
          );
          expect(costOf(rows, moved, 3, 10)).toBeGreaterThan(least);
        }
      }
    }
  });

  test('tells apart what lies apart, also rows that it has not seen', async () => {
    const head = await fitLogistic(clusters(60, 8, 4, 0.3), 4, 100, quiet);
    const others = clusters(100, 8, 4, 0.3);
    const right = others.labels.filter((label, i) => {
      const row = predict(head, others, 4).subarray(i * 4, (i + 1) * 4);
      return row.indexOf(Math.max(...row)) === label;
    });
    expect(right.length).toBeGreaterThan(95);
  });

  test('takes rows that are all the same, and a class without any', async () => {
    const same: Rows = { values: new Float32Array(12).fill(3), size: 3, labels: [0, 0, 0, 1] };
    const probabilities = predict(await fitLogistic(same, 3, 10, quiet), same, 3);
    expect(probabilities[0]).toBeCloseTo(0.75, 2);
    expect(probabilities[1]).toBeCloseTo(0.25, 2);
  });

  test('gives the same bits again, on one thread or two', async () => {
    const rows = clusters(50, 40, 3, 1);
    const first = await fitLogistic(rows, 3, 100, quiet);
    expect(await fitLogistic(rows, 3, 100, quiet)).toEqual(first);
    expect(await fitLogistic(rows, 3, 100, { ...quiet, threads: 2 })).toEqual(first);
  });

  test('ends with what is thrown between steps, as a cancellation is', async () => {
    const stop = { threads: 1, afterStep: () => Promise.reject(new Error('enough')) };
    await expect(fitLogistic(clusters(10, 4, 2, 1), 2, 10, stop)).rejects.toThrow('enough');
  });

  test('without a sample is refused', async () => {
    await expect(fitLogistic({ values: new Float32Array(), size: 3, labels: [] }, 2, 1, quiet)).rejects.toThrow(
      'no training samples',
    );
  });
});

test('weights for centred rows, folded, do the same for rows as they are', () => {
  const rows = clusters(20, 5, 2, 1);
  const centring = measure(rows);
  const head = new Map([
    ['head.weights', Float32Array.from({ length: 10 }, () => random.normal())],
    ['head.bias', Float32Array.of(0.3, -0.1)],
  ]);
  const wanted = predict(head, centre(rows, centring), 2);
  const given = predict(foldCentring(head, 'head', centring), rows, 2);
  given.forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? -1, 5));
});
