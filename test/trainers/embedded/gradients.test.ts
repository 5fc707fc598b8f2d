import { describe, expect, test } from 'vitest';
import { floatTensor, openGraph } from '../../../shared/onnx/engine.ts';
import { residualNetwork, softmaxOnEdges } from '../../../trainers/embedded/architectures.ts';
import { trainingGraph } from '../../../trainers/embedded/graphs.ts';
import { createRandom } from '../../../trainers/embedded/random.ts';
import { gradientErrors } from './gradient-errors.ts';

const cases = [
  { name: 'softmax', architecture: softmaxOnEdges, spec: { channels: 3, height: 16, width: 12, classes: 3 } },
  {
    name: 'resnet-small, stem without stride',
    architecture: residualNetwork(4),
    spec: { channels: 1, height: 15, width: 18, classes: 3 },
  },
  {
    name: 'resnet-small, stem with stride',
    architecture: residualNetwork(4),
    spec: { channels: 3, height: 41, width: 20, classes: 2 },
  },
];

describe('gradients agree with finite differences', () => {
  test.each(cases)('$name', async ({ architecture, spec }) => {
    const batch = 4;
    const { bytes, parameters } = trainingGraph(architecture, spec, batch, 'gradients');
    const session = await openGraph(bytes, 1);
    const random = createRandom(5);
    const last = parameters.at(-1);
    const vector = new Float32Array((last?.offset ?? 0) + (last?.length ?? 0));
    for (const { offset, length, centre, deviation } of parameters) {
      for (let i = offset; i < offset + length; i++) vector[i] = centre + (deviation || 0.1) * random.normal();
    }
    const pixels = new Float32Array(batch * spec.channels * spec.height * spec.width).map(() => 255 * random.next());
    const targets = new Float32Array(batch * spec.classes);
    for (let i = 0; i < batch; i++) targets[i * spec.classes + (i % spec.classes)] = 1;
    const run = () =>
      session.run({
        pixels: floatTensor(pixels, [batch, spec.channels, spec.height, spec.width]),
        targets: floatTensor(targets, [batch, spec.classes]),
        parameters: floatTensor(vector, [vector.length]),
      });
    const errors = await gradientErrors(run, vector, parameters, { random, step: 1e-3 });
    await session.release();
    // float32, and ReLU's kinks, leave a few per cent on single weights
    expect(errors[Math.floor(errors.length * 0.9)]).toBeLessThan(0.02);
    expect(errors.at(-1)).toBeLessThan(0.15);
  });
});
