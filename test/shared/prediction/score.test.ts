import { describe, expect, test } from 'vitest';
import { newEndpoint } from '../../../shared/endpoint/endpoint.ts';
import type { ModelDocument } from '../../../shared/model/document.ts';
import type { PreprocessedImage } from '../../../shared/image/decode.ts';
import { modelId } from '../../../shared/model/register.ts';
import { createScorer, predictionPartition, type ScorePorts } from '../../../shared/prediction/score.ts';
import { acceptedImage } from '../image/accepted.ts';
import { answerOf } from '../task/classification/answers.ts';
import { createFakes } from '../../simulation/fakes.ts';

const name = 'digits';
const image = { bytes: Buffer.from('image'), contentType: 'image/png' };
const target = (model: number) => ({ model, digest: `digest-${model}`, deployment: `d-${model}` });

/** A project with models 1 to 4; 3 cannot be run, and 4 answers with not-a-number. */
function serving(found: Partial<PreprocessedImage> = {}) {
  const world = createFakes();
  const served: string[] = [];
  world.put('projects', { id: name, pk: 'projects', createdAt: '', updatedAt: '' } as never);
  for (const number of [1, 2, 3, 4]) {
    const model = {
      number,
      digest: `digest-${number}`,
      task: 'classification',
      classes: ['a', 'b'],
      image: { width: 1, height: 1, channels: 1 },
    };
    world.put('models', { id: modelId(number), pk: name, ...model, version: { id: 'v', number: 1 } } as ModelDocument);
  }
  const live = (model: number, canary: number | null = null, percent = 50): void =>
    world.put('endpoints', {
      ...{ id: 'endpoint', pk: name, ...newEndpoint, production: target(model) },
      canary:
        canary === null
          ? null
          : { ...target(canary), percent, minRequests: 1, maxErrorRate: 0, startedAt: '', endsAt: '' },
    });
  const ports: ScorePorts = {
    ...world.ports,
    preprocess: (bytes) =>
      Promise.resolve({
        ...acceptedImage(bytes, { width: 1, height: 1, channels: 1 }),
        tensor: Float32Array.of(0),
        ...found,
      }),
    draw: () => Promise.reject(new Error('nothing is drawn here')),
    inferServed: (digest) => {
      served.push(digest);
      return digest === 'digest-3'
        ? Promise.reject(new Error('out of memory'))
        : Promise.resolve([answerOf(digest === 'digest-4' ? [Number.NaN, 0] : [0.25, 0.75])]);
    },
    inferPinned: () => Promise.resolve([answerOf([0.25, 0.75])]),
  };
  const score = createScorer(ports);
  const draw = () => score(name, image, { draw: true });
  return { world, live, served, draw, score: (pin?: number) => score(name, image, pin === undefined ? {} : { pin }) };
}

describe('scoring', () => {
  test('draws nothing where a kind finds nothing in places: refused before anything is scored or kept', async () => {
    const { world, live, served, draw } = serving();
    live(1);
    await expect(draw()).rejects.toMatchObject({ code: 'invalid-query', target: 'render' });
    expect(served).toEqual([]);
    expect((await world.ports.documents.query('predictions', { equals: { project: name }, limit: 1 })).items).toEqual(
      [],
    );
  });

  test('answers with the live model, and keeps the prediction before it answers', async () => {
    const { world, live, score } = serving();
    live(1);
    const answer = await score();
    const prediction = { class: 'b', probabilities: { a: 0.25, b: 0.75 } };
    expect(answer).toMatchObject({ task: 'classification', prediction, model: { version: 1 } });
    const kept = await world.read('predictions', predictionPartition(name, answer.predictionId), answer.predictionId);
    expect(kept).toMatchObject({ prediction, deployment: 'd-1', role: 'production', error: null });
    world.before = (operation, container) => {
      if (operation === 'documents.create' && container === 'predictions') throw new Error('503');
    };
    await expect(score()).rejects.toThrow('503');
  });

  test('keeps what its picture was declared to be and what stood behind its end, where that is worth knowing', async () => {
    const kept = async (found?: Partial<PreprocessedImage>) => {
      const { world, live, score } = serving(found);
      live(1);
      const { predictionId } = await score();
      return world.read('predictions', predictionPartition(name, predictionId), predictionId);
    };
    const odd = { trailingBytes: 512, declaredType: 'image/png' };
    expect(await kept(odd)).toMatchObject(odd);
    expect(Object.keys((await kept()) ?? {})).not.toEqual(expect.arrayContaining(['declaredType']));
    expect(Object.keys((await kept()) ?? {})).not.toEqual(expect.arrayContaining(['trailingBytes']));
  });

  test('follows a flip of the endpoint within two seconds, and asks for it once a second at most', async () => {
    const { world, live, score } = serving();
    live(1);
    let reads = 0;
    world.before = (operation, container) => {
      if (operation === 'documents.read' && container === 'endpoints') reads++;
    };
    for (let i = 0; i < 100; i++) expect((await score()).model.version).toBe(1);
    expect(reads).toBe(1);
    live(2);
    world.pass(2);
    expect((await score()).model.version).toBe(2);
  });

  test('believes nothing that it read before a clock was set back', async () => {
    const { world, live, score } = serving();
    live(1);
    await score();
    live(2);
    world.pass(-600);
    expect((await score()).model.version).toBe(2);
  });

  test('gives a canary its share of the requests', async () => {
    const { live, score } = serving();
    live(1, 2, 30);
    const versions: number[] = [];
    for (let i = 0; i < 1000; i++) versions.push((await score()).model.version);
    expect(versions.filter((v) => v === 2).length / 1000).toBeCloseTo(0.3, 1);
  });

  test('counts what a model could not score against it', async () => {
    const { world, live, score } = serving();
    live(3);
    await expect(score()).rejects.toThrow('out of memory');
    expect(world.all('predictions')).toMatchObject([{ deployment: 'd-3', prediction: null, error: 'out of memory' }]);
  });

  test('counts an answer of not-a-number against the model, and names the prediction that keeps it', async () => {
    const { world, live, score } = serving();
    live(1, 4, 99);
    const refusals: unknown[] = [];
    for (let i = 0; i < 50 && refusals.length === 0; i++) await score().catch((error: unknown) => refusals.push(error));
    const kept = world.all('predictions').find(({ error }) => error !== null);
    expect(kept).toMatchObject({ deployment: 'd-4', role: 'canary', prediction: null });
    expect(refusals).toMatchObject([{ code: 'no-answer', predictionId: kept?.id }]);
  });

  test('of a pinned model takes nothing of the room of those that serve', async () => {
    const { live, score, served } = serving();
    live(1);
    for (const pin of [2, 3, 4]) await score(pin);
    expect(served).toEqual([]);
    // the champion is loaded there anyway
    await score(1);
    expect(served).toEqual(['digest-1']);
  });

  test('of a pinned model needs no endpoint, and is no request to a deployment', async () => {
    const { world, score } = serving();
    expect((await score(2)).model.version).toBe(2);
    expect(world.all('predictions')).toMatchObject([{ deployment: 'pinned', role: 'pinned' }]);
    await expect(score(9)).rejects.toMatchObject({ code: 'unknown-model' });
    await expect(score()).rejects.toMatchObject({ code: 'no-model' });
  });
});
