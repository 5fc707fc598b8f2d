/**
 * Training on 600 colour pictures of 64x64. An epoch has its steps, the statistics of the batch norms and the judgement
 * of 120 validation samples; the first also opens the graphs. The whole has the export of the model and its check as well.
 */
import { createHash } from 'node:crypto';
import type { Sample } from '../../trainers/embedded/evaluate.ts';
import { createRandom } from '../../trainers/embedded/random.ts';
import { train } from '../../trainers/embedded/train.ts';
import { type Bench, figure, median } from './bench.ts';

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
  const perEpoch: number[] = [];
  const startedAt = performance.now();
  let epochStartedAt = startedAt;
  const { fitted } = await train(job, data, {
    threads: 2,
    provider: 'cpu',
    afterStep: () => Promise.resolve(),
    afterEpoch: async ({ epoch, loss }) => {
      const now = performance.now();
      const took = (now - epochStartedAt) / 1000;
      epochStartedAt = now;
      perEpoch.push(took);
      const rate = data.train.length / took;
      say(`epoch ${epoch}/${epochs}, loss ${loss.toFixed(3)}, ${took.toFixed(2)} s, ${rate.toFixed(0)} images/s`);
    },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  return [
    figure('train-seconds', seconds, 's'),
    figure('train-images-per-second', (data.train.length * fitted.history.length) / seconds, 'images/s'),
    figure('train-epochs', fitted.history.length, 'epochs'),
    figure('train-epoch-seconds', median(perEpoch), 's'),
    figure('train-epoch-seconds-slowest', Math.max(...perEpoch), 's'),
    figure('train-epoch-images-per-second', data.train.length / median(perEpoch), 'images/s'),
    figure('train-epoch-images-per-second-slowest', data.train.length / Math.max(...perEpoch), 'images/s'),
  ];
};
