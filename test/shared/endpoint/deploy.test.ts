import { describe, expect, test } from 'vitest';
import type { PredictionDocument } from '../../../shared/prediction/document.ts';
import { compose } from '../../../shared/delivery/compose.ts';
import type { queueMessages } from '../../../shared/delivery/message.ts';
import type * as z from 'zod';
import { digestOfModel, evaluated, right } from '../evaluation/evaluated.ts';
import { samplePartition } from '../../../shared/sample/partition.ts';
import { sampleOf } from '../dataset/committing.ts';
import { cause, name } from '../evaluation/trainable.ts';
import type { Fakes } from '../../simulation/fakes.ts';

type Deployments = z.infer<(typeof queueMessages)['deployments']>;
const trial = { percent: 20, minRequests: 30, maxErrorRate: 0.1, durationSeconds: 60 };

const approved = (model: number, deployment: string, seenRevision?: number): Deployments =>
  compose('darkroom.model.approved', deployment, { project: name, model, deployment, seenRevision }, cause);

/** Requests that a deployment answered, some with errors. */
function predictions(world: Fakes, deployment: string, requests: number, errors: number): void {
  for (let i = 0; i < requests; i++) {
    const id = `p-${(i % 16).toString(16)}${deployment}${i}`;
    world.put('predictions', {
      ...{ id, pk: `${name}:${id.slice(2, 3)}`, project: name, deployment, error: i < errors ? 'no' : null },
    } as PredictionDocument);
  }
}

describe('a deployment', () => {
  test('of a model whose store does not answer is tried again, not failed', async () => {
    const { train, evaluate, deployAll, deploy, endpoint, world } = await evaluated({ deploy: { mode: 'manual' } });
    await evaluate(await train(right));
    expect(await deployAll()).toEqual([]);
    world.before = (operation, blob) => {
      if (operation === 'blobs.get' && blob.startsWith('models/')) throw new Error('503');
    };
    await expect(deploy(approved(1, 'o-1'))).rejects.toThrow('503');
    world.before = () => undefined;
    expect(await deploy(approved(1, 'o-1'))).toEqual({ outcome: 'live' });
    expect(await deploy(approved(1, 'o-1'))).toEqual({ outcome: 'handled-before' });
    expect((await endpoint())?.history).toHaveLength(1);
  });

  test('of a model that cannot be run fails, and what was live stays live', async () => {
    const { train, evaluate, deployAll, endpoint, answers } = await evaluated();
    await evaluate(await train(right, 'first'));
    await deployAll();
    await evaluate(await train(right, 'second'));
    answers.delete(digestOfModel('second'));
    expect(await deployAll()).toEqual(['smoke-test-failed']);
    expect(await endpoint()).toMatchObject({ production: { model: 1 }, history: [{ model: 2, state: 'failed' }, {}] });
  });

  test('that answers otherwise than it did in training fails', async () => {
    const { train, evaluate, deploy, endpoint, world } = await evaluated({ deploy: { mode: 'manual' } });
    await evaluate(await train(right));
    const [model] = world.all('models');
    const sample = world.all('runs')[0];
    expect(sample).toBeDefined();
    const blobs = await world.ports.blobs.list('datasets', `${name}/files/`, 1);
    const md5 = (blobs[0] ?? '').split('/').slice(-2).join('');
    world.put('samples', { ...sampleOf(1), id: md5, pk: samplePartition(name, md5) });
    if (model !== undefined)
      world.put('models', {
        ...model,
        smoke: [Object.assign({ md5 }, { probabilities: Array<number>(10).fill(0.1) })],
      });
    expect((await deploy(approved(1, 'o-1'))).outcome).toBe('smoke-test-failed');
    expect((await endpoint())?.production).toBeNull();
  });

  test('of a model that is rejected while it is tested leaves the endpoint alone', async () => {
    const { train, evaluate, deploy, endpoint, world } = await evaluated({ deploy: { mode: 'manual' } });
    await evaluate(await train(right));
    world.before = (operation, blob) => {
      const [model] = world.all('models');
      if (operation === 'blobs.get' && blob.startsWith('models/') && model !== undefined)
        world.put('models', { ...model, state: 'rejected' });
    };
    expect(await deploy(approved(1, 'o-1'))).toEqual({ outcome: 'model-is-rejected' });
    expect(await endpoint()).toBeUndefined();
  });

  test('that was overtaken by the one of a newer model leaves it alone', async () => {
    const { train, evaluate, deploy, endpoint, world } = await evaluated();
    for (let i = 0; i < 2; i++) await evaluate(await train(right));
    const [first, second] = world.sent.filter((s) => s.queue === 'deployments').map((s) => s.message as Deployments);
    if (first === undefined || second === undefined) throw new Error('two deployments were expected');
    expect((await deploy(second)).outcome).toBe('live');
    expect((await deploy(first)).outcome).toBe('not-needed');
    expect((await endpoint())?.production?.model).toBe(2);
    expect((await deploy(approved(1, 'o-1'))).outcome).toBe('live');
  });
});

describe('a canary', () => {
  async function onTrial() {
    const project = await evaluated({ deploy: { canary: trial } });
    for (let i = 0; i < 2; i++) {
      await project.evaluate(await project.train(right));
      await project.deployAll();
    }
    const canary = (await project.endpoint())?.canary;
    if (!canary) throw new Error('no canary');
    return { ...project, canary };
  }

  test('with too many errors is returned long before its time', async () => {
    const { world, canary, deployAll, endpoint } = await onTrial();
    predictions(world, canary.deployment, 20, 3);
    world.pass(15);
    expect(await deployAll()).toEqual(['returned']);
    expect(await endpoint()).toMatchObject({ production: { model: 1 }, canary: null });
    expect((await endpoint())?.history[0]).toMatchObject({ state: 'rolled-back', reason: '3 errors in 20 requests' });
    world.pass(3600);
    expect(await deployAll()).toEqual([]);
  });

  test('that did well for its time is promoted, a minute after it began', async () => {
    const { world, canary, deployAll, endpoint } = await onTrial();
    predictions(world, canary.deployment, 40, 2);
    const outcomes: string[] = [];
    for (let i = 0; i < 4; i++) {
      world.pass(15);
      outcomes.push(...(await deployAll()));
    }
    expect(outcomes).toEqual(['watching', 'watching', 'watching', 'promoted']);
    expect((await endpoint())?.production?.model).toBe(2);
  });

  test('that nobody asks waits for its requests, in the end at no cost but the sweep', async () => {
    const { world, canary, deployAll, endpoint, sweep } = await onTrial();
    let looks = 0;
    for (let minute = 0; minute < 24 * 60; minute++) {
      world.pass(60);
      looks += (await deployAll()).length;
    }
    expect(looks).toBeLessThan(30);
    expect((await endpoint())?.canary?.deployment).toBe(canary.deployment);
    predictions(world, canary.deployment, 30, 0);
    world.pass(900);
    expect(await deployAll()).toEqual([]);
    await sweep();
    expect((await endpoint())?.production?.model).toBe(2);
  });

  test('is looked at by one chain of messages, however often each of them is delivered', async () => {
    const { world, deployAll } = await onTrial();
    for (let i = 0; i < 3; i++) {
      world.sent.push(...structuredClone(world.sent.filter((s) => s.queue === 'deployments')));
      world.pass(15);
      await deployAll();
    }
    expect(world.sent.filter((s) => s.queue === 'deployments')).toHaveLength(1);
  });

  test('is decided by an operator who has seen it and deploys it, or the model that is live', async () => {
    const live = await onTrial();
    expect(await live.deploy(approved(2, 'o-2', 2))).toEqual({ outcome: 'live' });
    expect(await live.endpoint()).toMatchObject({ production: { model: 2, deployment: 'o-2' }, canary: null });
    const ended = await onTrial();
    expect(await ended.deploy(approved(1, 'o-1', 2))).toEqual({ outcome: 'not-needed' });
    expect(await ended.endpoint()).toMatchObject({
      production: { model: 1, deployment: expect.not.stringMatching(/^o-/) },
      canary: null,
    });
    expect((await ended.endpoint())?.history[0]).toMatchObject({
      model: 2,
      state: 'retired',
      reason: 'model 1 stays live',
    });
  });

  test('whose messages are lost is judged by the sweep', async () => {
    const { world, canary, sweep, endpoint } = await onTrial();
    world.sent.length = 0;
    predictions(world, canary.deployment, 40, 0);
    world.pass(900);
    expect((await sweep()).problems).toEqual([]);
    expect((await endpoint())?.production?.model).toBe(2);
    expect(world.sent.filter((s) => s.queue === 'deployments')).toEqual([]);
  });
});
