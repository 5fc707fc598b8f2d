/** Training on 600 colour pictures of 64x64. */
import { createHash } from 'node:crypto';
import type { Sample } from '../../trainer/evaluate.ts';
import { createRandom } from '../../trainer/random.ts';
import { train } from '../../trainer/train.ts';
import { type Bench, figure } from './bench.ts';

const [size, classes] = [64, 4];

/** Synthetic: a disc whose place and colour tell the class, under noise. */
function picture(random: { next(): number }, label: number): Sample {
  const pixels = new Float32Array(3 * size * size);
  const [cx, cy] = [16 + 32 * (label % 2) + 6 * random.next(), 16 + 32 * Math.floor(label / 2) + 6 * random.next()];
  for (let channel = 0; channel < 3; channel++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const inside = (x - cx) ** 2 + (y - cy) ** 2 < 120;
        const value = 90 + 80 * random.next() + (inside ? 60 * (channel === label % 3 ? 1 : 0.4) : 0);
        pixels[channel * size * size + y * size + x] = value;
      }
  return { pixels, label };
}

export const training: Bench = async ({ quick, say }) => {
  const random = createRandom(1);
  const samples = Array.from({ length: 720 }, (_, i) => picture(random, i % classes));
  const epochs = quick ? 2 : 8;
  const data = {
    train: samples.slice(0, 600),
    validation: samples.slice(600),
    validationMd5: samples.slice(600).map((_, i) => createHash('md5').update(String(i)).digest('hex')),
  };
  const job = {
    classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
    image: { width: size, height: size, channels: 3 as const },
    trainer: { name: 'resnet-small', parameters: { epochs } },
    ...{ datasetVersion: 'bench', seed: 1 },
  };
  const startedAt = performance.now();
  const { fitted } = await train(job, data, {
    threads: 2,
    provider: 'cpu',
    afterStep: () => Promise.resolve(),
    afterEpoch: async ({ epoch, loss }) =>
      say(
        `epoch ${epoch}/${epochs}, loss ${loss.toFixed(3)}, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
      ),
  });
  const seconds = (performance.now() - startedAt) / 1000;
  return [
    figure('train-seconds', seconds, 's'),
    figure('train-images-per-second', (600 * fitted.history.length) / seconds, 'images/s'),
    figure('train-epochs', fitted.history.length, 'epochs'),
  ];
};
