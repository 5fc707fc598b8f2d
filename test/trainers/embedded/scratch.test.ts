import { expect, test } from 'vitest';
import { softmaxOnEdges } from '../../../trainers/embedded/architectures.ts';
import { fromScratchOnSmall } from '../../../trainers/embedded/scratch.ts';

test('a network from scratch takes pictures that are narrower than they are made smaller', async () => {
  const method = fromScratchOnSmall({
    ...{ architecture: softmaxOnEdges, epochs: 1, batchSize: 2, learningRate: 0.01, weightDecay: 0 },
    ...{ labelSmoothing: 0, patience: 1, augmentation: { shift: 0, scale: 0, rotation: 0, flip: false } },
  });
  const [width, height] = [1024, 8];
  const train = [0, 1].map((label) => ({ label, pixels: new Uint8Array(width * height).fill(200 * label) }));
  const quiet = { afterStep: () => Promise.resolve(), afterEpoch: () => Promise.resolve() };
  const options = { seed: 1, threads: 1, provider: 'cpu' as const, ...quiet };
  const shape = { width, height, channels: 1, classes: 2 };
  const { fitted } = await method({ train, validation: train }, shape, options);
  expect(fitted.probabilities).toHaveLength(4);
});
