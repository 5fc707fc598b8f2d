/** The versions that are accepted are those that the installed onnxruntime runs: a new one of it moves the bounds. */
import { describe, expect, test } from 'vitest';
import { floatsOf, floatTensor, openGraph } from '../../../shared/onnx/engine.ts';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { irVersions, opsets, validateModel } from '../../../shared/onnx/validate.ts';
import { tinyModel, tinyEnds } from './tiny-model.ts';

const written = (irVersion: number, opset: number): Uint8Array => encodeModel({ ...tinyModel(), irVersion, opset });
const from = ({ least, most }: { least: number; most: number }): number[] =>
  Array.from({ length: most - least + 1 }, (_, i) => least + i);

describe('versions of models', () => {
  test.each([
    ...from(opsets).map((opset) => [irVersions.most, opset]),
    ...from(irVersions).map((ir) => [ir, opsets.least]),
  ])('IR %i with opset %i is accepted and runs', async (ir, opset) => {
    const bytes = written(ir, opset);
    expect(validateModel(bytes, tinyEnds)).toMatchObject({ ok: true });
    const session = await openGraph(bytes, 1);
    const outputs = await session.run({ input: floatTensor(new Float32Array(4), [1, 1, 2, 2]) });
    expect(floatsOf(outputs['probabilities'])).toHaveLength(2);
    await session.release();
  });

  test('one more of either is refused, with what to do, and onnxruntime refuses it too', async () => {
    const laterOpset = written(irVersions.most, opsets.most + 1);
    expect(validateModel(laterOpset, tinyEnds)).toMatchObject({
      reason: 'unsupported-opset',
      detail: 'opset 27 is not 13 to 26; export with opset_version=17, say',
    });
    await expect(openGraph(laterOpset, 1)).rejects.toThrow();
    const laterIr = written(irVersions.most + 1, opsets.most);
    expect(validateModel(laterIr, tinyEnds)).toMatchObject({ reason: 'unsupported-ir' });
    await expect(openGraph(laterIr, 1)).rejects.toThrow();
  });
});
