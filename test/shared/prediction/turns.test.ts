/** Scores of several keys at once. */
import { expect, test } from 'vitest';
import { newEndpoint } from '../../../shared/endpoint/endpoint.ts';
import type { ModelDocument } from '../../../shared/model/document.ts';
import { modelId } from '../../../shared/model/register.ts';
import { createScorer, type ScorePorts } from '../../../shared/prediction/score.ts';
import { acceptedImage } from '../image/accepted.ts';
import { answerOf } from '../task/classification/answers.ts';
import { createFakes } from '../../simulation/fakes.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A project whose decoder works on one image in a turn of the event loop; notes in which order, and how many came in. */
function serving() {
  const world = createFakes();
  const target = { model: 1, digest: 'd', deployment: 'd' };
  world.put('models', {
    ...{ id: modelId(1), pk: 'digits', number: 1, digest: 'd', version: { id: 'v', number: 1 } },
    ...{ task: 'classification', classes: ['a', 'b'] },
    image: { width: 1, height: 1, channels: 1 },
  } as ModelDocument);
  world.put('endpoints', { id: 'endpoint', pk: 'digits', ...newEndpoint, production: target });
  const decoded: string[] = [];
  let inside = 0;
  let most = 0;
  let line = Promise.resolve();
  const infer: ScorePorts['inferServed'] = () => Promise.resolve([answerOf([0.25, 0.75])]);
  const score = createScorer({
    ...world.ports,
    async preprocess(bytes) {
      most = Math.max(most, ++inside);
      line = line.then(turn);
      await line;
      inside--;
      decoded.push(bytes.toString());
      return { ...acceptedImage(bytes, { width: 1, height: 1, channels: 1 }), tensor: Float32Array.of(0) };
    },
    draw: () => Promise.reject(new Error('nothing is drawn here')),
    ...{ inferServed: infer, inferPinned: infer },
  });
  const of = (owner: string, image: string) =>
    score('digits', { bytes: Buffer.from(image), contentType: 'image/png' }, { owner });
  return { of, decoded, most: () => most };
}

test('a key with many scores waiting holds up another by those that are being worked on, and no more', async () => {
  const { of, decoded, most } = serving();
  const many = Array.from({ length: 100 }, (_, i) => of('busy', `busy ${i}`));
  await turn();
  await of('calm', 'calm');
  expect(decoded.indexOf('calm')).toBeLessThanOrEqual(10);
  expect(most()).toBe(9);
  await Promise.all(many);
  expect(decoded).toHaveLength(101);
});

test('of one key so many wait, and more are told to come back; another key is served', async () => {
  const { of } = serving();
  const many = await Promise.allSettled([
    ...Array.from({ length: 300 }, () => of('busy', 'busy')),
    ...[of('calm', 'calm')],
  ]);
  const refused = many.filter(({ status }) => status === 'rejected');
  expect([refused.length, many.at(-1)?.status]).toEqual([300 - 256 - 8, 'fulfilled']);
});
