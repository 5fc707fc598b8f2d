import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { fits, isWithin, misfit, type ModelEnds, type OutputEnd } from '../../../shared/onnx/ends.ts';
import { validateModel } from '../../../shared/onnx/validate.ts';
import { tinyModel } from './tiny-model.ts';

const said = { are: 'numbers', advice: 'numbers', repair: 'count again' };
/** What a detector answers: as many boxes as it likes, and for each a score of three classes. */
const detector: OutputEnd[] = [
  { name: 'boxes', shape: ['K', 4], ...said },
  { name: 'scores', shape: ['K', 3], range: { least: 0, most: 1 }, ...said },
];
const ends: ModelEnds = { input: { channels: 1, height: 2, width: 2 }, outputs: detector };

/** A graph whose outputs are declared so; what makes them is of no concern here. */
const declared = (...outputs: { name: string; shape: (number | string)[] }[]): Uint8Array =>
  encodeModel({
    ...tinyModel(),
    nodes: outputs.map(({ name }) => ({ op: 'Identity', inputs: ['input'], outputs: [name] })),
    outputs,
  });
const boxes = (...shape: (number | string)[]) => ({ name: 'boxes', shape });
const scores = (...shape: (number | string)[]) => ({ name: 'scores', shape });

describe('outputs of which a model chooses the size', () => {
  test.each([
    ['a number', declared(boxes('N', 100, 4), scores('N', 100, 3))],
    ['open until it runs', declared(boxes('N', 'many', 4), scores('N', 'many', 3))],
    ['in another order', declared(scores('N', 7, 3), boxes('N', 7, 4))],
    ['one open', declared(boxes('N', 7, 4), scores('N', '', 3))],
  ])('are taken: %s', (_what, bytes) => expect(validateModel(bytes, ends)).toMatchObject({ ok: true }));

  test.each([
    ['another number in each', declared(boxes('N', 100, 4), scores('N', 99, 3))],
    ['other classes', declared(boxes('N', 100, 4), scores('N', 100, 2))],
    ['one of them missing', declared(boxes('N', 100, 4))],
    ['one too many', declared(boxes('N', 1, 4), scores('N', 1, 3), { name: 'more', shape: ['N', 1] })],
    ['pictures counted by a number', declared(boxes(1, 100, 4), scores('N', 100, 3))],
    ['none at all', declared(boxes('N', 0, 4), scores('N', 0, 3))],
  ])('are refused: %s', (_what, bytes) =>
    expect(validateModel(bytes, ends)).toMatchObject({
      reason: 'wrong-output',
      detail: expect.stringContaining(
        'expected 2 float tensors boxes [N, K, 4] and scores [N, K, 3] with N left open, found ',
      ),
    }),
  );

  test('are held to one size when they come', () => {
    const tensor = (...dims: number[]) => ({ data: new Float32Array(dims.reduce((a, b) => a * b, 1)), dims });
    expect(misfit(detector, { boxes: tensor(5, 4), scores: tensor(5, 3) })).toBeUndefined();
    expect(misfit(detector, { boxes: tensor(5, 4), scores: tensor(6, 3) })).toBe(
      'it answers scores of [6, 3] instead of [K, 3]',
    );
    expect(misfit(detector, { boxes: tensor(5, 4) })).toBe('it answers scores of [nothing] instead of [K, 3]');
  });
});

test('numbers are within range and sum, or not; not-a-number and infinity never are', () => {
  const of = (...values: number[]): Float32Array => Float32Array.from(values);
  expect(isWithin({}, of(-1e30, 1e30))).toBe(true);
  expect([Number.NaN, Infinity, -Infinity].map((odd) => isWithin({}, of(0, odd)))).toEqual([false, false, false]);
  const shares = { range: { least: 0, most: 1 }, sum: 1, tolerance: 0.01 };
  expect([isWithin(shares, of(0.5, 0.505)), isWithin(shares, of(0.5, 0.52)), isWithin(shares, of(1.5, -0.5))]).toEqual([
    true,
    false,
    false,
  ]);
});

test('a shape of numbers alone fits itself and no other', () => {
  const shape = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 });
  fc.assert(
    fc.property(shape, shape, (wanted, dims) => {
      expect(fits({ shape: wanted }, dims, new Map())).toBe(JSON.stringify(wanted) === JSON.stringify(dims));
    }),
  );
});
