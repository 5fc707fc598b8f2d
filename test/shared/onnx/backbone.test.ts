/** The pretrained backbone is the one that was measured, and answers as it did. */
import { copyFile, mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { backbone, backboneParts, backboneSide, readBackbone } from '../../../shared/onnx/backbone.ts';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { floatsOf, floatTensor, openGraph } from '../../../shared/onnx/engine.ts';
import { validateModel } from '../../../shared/onnx/validate.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const golden = (name: string): Promise<Buffer> => readFile(path.join(root, 'test/fixtures/backbone', name));
/** what float16 instead of float32 weights may change in numbers that reach 6; 0.046 was measured */
const storage = 0.08;

/** Computed pictures, RGB, [height, width], and what the float32 network gave for them. */
const pictures = [
  ['ramps', 96, 96],
  ['discs', 128, 160],
  ['blocks', 64, 64],
] as const;

/** Cosine of the angle between two rows of numbers around their means. */
function likeness(a: Float32Array, b: Float32Array): number {
  const centred = (row: Float32Array): number[] => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    return Array.from(row, (value) => value - mean);
  };
  const [left, right] = [centred(a), centred(b)];
  const dot = (one: number[], other: number[]): number =>
    one.reduce((sum, value, i) => sum + value * (other[i] ?? 0), 0);
  return dot(left, right) / Math.sqrt(dot(left, left) * dot(right, right));
}

describe('the backbone', () => {
  test.each(pictures)('sees %s as the float32 network does', async (name, height, width) => {
    const session = await openGraph(await readBackbone(), 1);
    const pixels = Float32Array.from(await golden(`${name}.u8`));
    const outputs = await session.run({ [backbone.input]: floatTensor(pixels, [1, 3, height, width]) });
    const embedding = floatsOf(outputs[backbone.embedding]);
    const bytes = await golden(`${name}.embedding.f32`);
    const wanted = Float32Array.from({ length: backbone.embeddingSize }, (_, i) => bytes.readFloatLE(4 * i));
    expect(embedding).toHaveLength(wanted.length);
    expect(Math.max(...embedding.map((value, i) => Math.abs(value - (wanted[i] ?? 0))))).toBeLessThan(storage);
    expect(likeness(embedding, wanted)).toBeGreaterThan(0.999);
    for (const [map, { channels, stride }] of Object.entries(backbone.maps))
      expect(outputs[map]?.dims).toEqual([1, channels, height / stride, width / stride]);
    await session.release();
  });

  test('lies with its licence, its provenance and what was changed of it', async () => {
    const folder = path.dirname(backbone.file);
    const about = await readFile(path.join(folder, 'README.md'), 'utf8');
    expect(about).toContain(`${backbone.changes}.`);
    expect(about).toContain(backbone.sha256);
    expect(await readFile(path.join(folder, 'LICENSE-APACHE-2.0.txt'), 'utf8')).toContain('Apache License');
  });

  test('that is damaged is not taken', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'backbone-'));
    const file = path.join(folder, 'cut.onnx');
    await copyFile(backbone.file, file);
    await truncate(file, 1_000_000);
    await expect(readBackbone(file)).rejects.toThrow(/instead of cae1fd58.*fresh checkout/);
    await rm(folder, { recursive: true });
  });

  test('takes sides that are multiples of 32', () => {
    expect([1, 28, 47, 48, 160, 500].map(backboneSide)).toEqual([32, 32, 32, 64, 160, 512]);
  });
});

test('a graph that holds the backbone gives what the backbone gives, and may be served', async () => {
  const { nodes, initialisers } = await backboneParts();
  const double = { op: 'Add', inputs: ['input', 'input'], outputs: [backbone.input] };
  const mean = { op: 'ReduceMean', inputs: ['s8'], outputs: ['level'], attributes: { axes: { ints: [2, 3] } } };
  const bytes = encodeModel({
    name: 'holder',
    nodes: [double, ...nodes, mean],
    inputs: [{ name: 'input', shape: ['N', 3, 64, 64] }],
    outputs: [{ name: 'level', shape: ['N', backbone.maps.s8.channels, 1, 1] }],
    initialisers,
    metadata: {},
  });
  const level = { name: 'level', shape: [40, 1, 1], are: 'levels', advice: '', repair: '' };
  expect(validateModel(bytes, { input: { channels: 3, height: 64, width: 64 }, outputs: [level] }).ok).toBe(true);
  const [holder, alone] = [await openGraph(bytes, 1), await openGraph(await readBackbone(), 1)];
  const pixels = Float32Array.from(await golden('blocks.u8'), (value) => value / 2);
  const given = floatsOf((await holder.run({ input: floatTensor(pixels, [1, 3, 64, 64]) }))['level']);
  const outputs = await alone.run({
    [backbone.input]: floatTensor(
      pixels.map((v) => 2 * v),
      [1, 3, 64, 64],
    ),
  });
  const map = floatsOf(outputs['s8']);
  const first = map.subarray(0, 64).reduce((sum, value) => sum + value, 0) / 64;
  expect(given[0]).toBeCloseTo(first, 3);
  await holder.release();
  await alone.release();
});
