/** What exporters write and what becomes of it: files of test/fixtures/models, checked and tried as at registration. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeModel, type OnnxModel } from '../../../shared/onnx/encode.ts';
import { createModelCheck } from '../../../shared/onnx/model-check.ts';
import { classifierEnds } from '../../../shared/task/classification/ends.ts';
import { tinyModel, tinyEnds } from './tiny-model.ts';

const check = createModelCheck({ timeoutMs: 20_000, maxMemoryBytes: 1 << 30 });
const ends = classifierEnds({ channels: 3, height: 32, width: 32, classes: 4 });
const file = (name: string): Buffer => readFileSync(path.join(import.meta.dirname, '../../fixtures/models', name));

describe('exported models', () => {
  test.each(['good.onnx', 'opset23.onnx', 'unused-ml-domain.onnx', 'nan-on-black.onnx'])('%s runs', async (name) => {
    expect(await check(file(name), ends)).toMatchObject({ ok: true });
  });

  test('weights in another file are refused with the argument that keeps them in one', async () => {
    expect(await check(file('external-data.onnx'), ends)).toMatchObject({
      reason: 'external-data',
      detail: expect.stringContaining('export again with external_data=False'),
    });
  });

  const [flatten, dense, softmax] = tinyModel().nodes;
  const refused = async (change: Partial<OnnxModel>): Promise<unknown> =>
    check(encodeModel({ ...tinyModel(), ...change }), tinyEnds);

  test('logits under the name of probabilities are refused with the layer that is missing', async () => {
    const nodes = [flatten!, { ...dense!, outputs: ['probabilities'] }];
    expect(await refused({ nodes })).toMatchObject({
      reason: 'no-probabilities',
      detail: expect.stringMatching(/are not probabilities \(.* in all\): add a Softmax/),
    });
  });

  test('logits that look like probabilities of a grey picture are refused too', async () => {
    // the difference of two pixels, and one minus it: 0 and 1 where all pixels are the same
    const weights = Float32Array.of(1, -1, -1, 1, 0, 0, 0, 0);
    const nodes = [flatten!, { ...dense!, outputs: ['probabilities'] }];
    const initialisers = [
      { name: 'weights', dims: [4, 2], data: weights },
      { name: 'bias', dims: [2], data: Float32Array.of(0, 1) },
    ];
    expect(await refused({ nodes, initialisers })).toMatchObject({ reason: 'no-probabilities' });
  });

  test('a model that cannot answer for a grey picture is refused', async () => {
    const nodes = [flatten!, dense!, { op: 'Log', inputs: ['minus'], outputs: ['nan'] }];
    nodes.push({ op: 'Constant', inputs: [], outputs: ['minus'], attributes: { value_float: { float: -1 } } });
    nodes.push({ op: 'Add', inputs: ['logits', 'nan'], outputs: ['sick'] }, { ...softmax!, inputs: ['sick'] });
    nodes.splice(2, 0, nodes.splice(3, 1)[0]!);
    expect(await refused({ nodes })).toMatchObject({
      reason: 'no-probabilities',
      detail: expect.stringContaining('a plain grey picture is answered with not-a-number'),
    });
  });

  test('a model that runs for 32 pictures and not for one is refused', async () => {
    // [2] instead of [1, 2] where there is one picture: there is no axis 1
    const squeeze = { op: 'Squeeze', inputs: ['logits'], outputs: ['squeezed'] };
    const nodes = [flatten!, dense!, squeeze, { ...softmax!, inputs: ['squeezed'] }];
    expect(await refused({ nodes })).toMatchObject({ reason: 'does-not-run-refused' });
  });

  test('how much memory a node takes is not for pixels to say', async () => {
    const cast = { op: 'Cast', inputs: ['flat'], outputs: ['sizes'], attributes: { to: { int: 7 } } };
    const grown = { op: 'ConstantOfShape', inputs: ['sizes'], outputs: ['much'] };
    expect(await refused({ nodes: [...tinyModel().nodes, cast, grown] })).toMatchObject({
      reason: 'size-from-pixels',
      detail: expect.stringContaining('input 0 of a ConstantOfShape node is computed from the pixels'),
    });
    const shape = { op: 'Shape', inputs: ['flat'], outputs: ['sizes'] };
    expect(await refused({ nodes: [...tinyModel().nodes, shape, grown] })).toMatchObject({ ok: true });
  });
});
