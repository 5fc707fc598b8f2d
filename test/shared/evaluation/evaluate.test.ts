import { describe, expect, test } from 'vitest';
import { evaluate as handle } from '../../../shared/evaluation/evaluate.ts';
import { storedName } from '../../../shared/sample/content.ts';
import type { runTrained } from '../../../shared/delivery/message.ts';
import type { ClassVerdict } from '../../../shared/task/classification/gate.ts';
import { encodeModel } from '../../../shared/onnx/encode.ts';
import { createModelCheck } from '../../../shared/onnx/model-check.ts';
import { update } from '../../../shared/update.ts';
import { cancelRun } from '../../../shared/training/cancel.ts';
import { evaluated, right, wrong } from './evaluated.ts';
import { cause, commitVersion, name, succeeded, trainable } from './trainable.ts';
import { labelOf, sample } from '../dataset/samples.ts';
import type { Fakes } from '../../simulation/fakes.ts';
import { endlessModel } from '../onnx/nasty-models.ts';
import type * as z from 'zod';

const never = (): Promise<never> => Promise.reject(new Error('a model that cannot be loaded is not scored'));

/** A version whose test split takes three shards, each of which takes a delivery's time. */
async function threeShards(world: Fakes): Promise<void> {
  const samples = 8000;
  await commitVersion(world, 2, samples);
  for (let n = 0; n < samples; n++) {
    const record = sample(n);
    await world.ports.blobs.create('datasets', storedName(name, record.md5), labelOf(record));
  }
  world.before = (operation, blob) => {
    if (operation === 'blobs.create' && blob.includes('/evaluations/')) world.pass(300);
  };
}

describe('an evaluation', () => {
  test('registers a good model, ends the run and asks for the deployment', async () => {
    const { train, evaluate, run, world, deployAll, endpoint } = await evaluated();
    const message = await train(right);
    expect(await evaluate(message)).toEqual({ outcome: 'approved', model: '1' });
    expect(await run(message.data.run)).toMatchObject({
      ...{ state: 'registered', model: 1, failure: null, verdict: { decision: 'approved', champion: null } },
    });
    expect(world.all('models')).toMatchObject([{ number: 1, state: 'approved', metrics: { accuracy: 1 } }]);
    expect(await deployAll()).toEqual(['live']);
    expect((await endpoint())?.production?.model).toBe(1);
  });

  test('rejects a bad one with its reasons, and nothing is deployed', async () => {
    const { train, evaluate, run, world, deployAll } = await evaluated();
    const message = await train(wrong);
    expect((await evaluate(message)).outcome).toBe('rejected');
    expect((await run(message.data.run)).state).toBe('rejected');
    expect(world.all('models')[0]?.verdict.reasons[1]).toContain('failed: accuracy 0.0 %');
    expect(await deployAll()).toEqual([]);
  });

  test('under manual approval ends with a candidate', async () => {
    const { train, evaluate, world, deployAll } = await evaluated({ gate: { approval: 'manual' } });
    await evaluate(await train(right));
    expect(world.all('models')[0]?.state).toBe('candidate');
    expect(await deployAll()).toEqual([]);
  });

  test('wherever it dies, the next delivery ends the run and the model goes live once', async () => {
    let completed = false;
    for (let diesAt = 0; !completed; diesAt++) {
      expect(diesAt).toBeLessThan(60);
      const { train, evaluate, run, world, deployAll, endpoint } = await evaluated();
      const message = await train(right);
      let operations = 0;
      world.before = () => {
        if (operations++ === diesAt) throw new Error('died');
      };
      completed = await evaluate(message).then(
        () => true,
        () => false,
      );
      world.before = () => undefined;
      await evaluate(message);
      await evaluate(message);
      await deployAll();
      expect((await run(message.data.run)).state).toBe('registered');
      expect(world.all('models')).toHaveLength(1);
      expect((await endpoint())?.production?.model).toBe(1);
      expect((await endpoint())?.history).toHaveLength(1);
    }
  });

  test('of a run that was cancelled meanwhile deploys nothing', async () => {
    const { train, evaluate, run, world, deployAll } = await evaluated();
    const message = await train(right);
    let cancelled = false;
    world.before = async (operation, container) => {
      if (cancelled || operation !== 'documents.create' || container !== 'models') return;
      cancelled = true;
      await cancelRun(world.ports, name, message.data.run, 'someone', cause);
    };
    expect((await evaluate(message)).outcome).toBe('ended-meanwhile');
    expect((await run(message.data.run)).state).toBe('cancelled');
    expect(await deployAll()).toEqual([]);
  });

  test.each(['before', 'during'])('of a run whose cancellation died %s it ends the run as cancelled', async (when) => {
    const { train, evaluate, run, world, deployAll } = await evaluated();
    const message = await train(right);
    const cancel = () =>
      update(world.ports.documents, 'runs', name, message.data.run, (current) =>
        current === undefined ? 'keep' : { ...current, cancelRequested: true },
      );
    let judgedBlobs = 0;
    let asked = when === 'before';
    if (asked) await cancel();
    world.before = async (operation, container) => {
      if (operation === 'blobs.get') judgedBlobs++;
      if (asked || operation !== 'documents.create' || container !== 'models') return;
      asked = true;
      await cancel();
    };
    expect((await evaluate(message)).outcome).toBe('cancelled');
    expect(judgedBlobs === 0).toBe(when === 'before');
    expect(await run(message.data.run)).toMatchObject({ state: 'cancelled', failure: { code: 'cancelled' } });
    expect(await deployAll()).toEqual([]);
  });

  test('of a model that cannot be run ends the run at once, with the reason', async () => {
    const { train, evaluate, run, world } = await evaluated();
    const message = await train(undefined);
    expect((await evaluate(message)).outcome).toBe('bad-model');
    expect(await run(message.data.run)).toMatchObject({
      state: 'failed',
      failure: { code: 'bad-model', detail: 'The model cannot score the test samples: this model cannot be run' },
    });
    expect(world.all('models')).toEqual([]);
  });

  test('whose store does not answer is tried again, and never held against the model', async () => {
    const { train, evaluate, run, world } = await evaluated();
    const message = await train(right);
    world.before = (operation, blob) => {
      if (operation === 'blobs.get' && blob.startsWith('datasets/')) throw new Error('503');
    };
    await expect(evaluate(message)).rejects.toThrow('503');
    world.before = () => undefined;
    expect((await run(message.data.run)).state).toBe('evaluating');
    expect((await evaluate(message)).outcome).toBe('approved');
  });

  test('compares with the champion on the same samples', async () => {
    const { train, evaluate, deployAll, world } = await evaluated({ gate: { minimum: 0, maxRegression: 0 } });
    await evaluate(await train(right));
    await deployAll();
    expect((await evaluate(await train(wrong))).outcome).toBe('rejected');
    const { champion } = world.all('models')[1]!.verdict as ClassVerdict;
    expect(champion).toMatchObject({ model: 1, accuracy: 1, onlyCandidateRight: 0 });
    expect(champion?.onlyChampionRight).toBe(world.all('models')[1]?.verdict.samples);
  });

  test.each([
    ['not JSON', 'cannot be read'],
    [JSON.stringify([{ md5: 'a'.repeat(32), probabilities: [0.5, 0.5] }]), 'is for other classes'],
    [' '.repeat(5 * 1024 * 1024), 'has more than 4 MB'],
  ])('fails a run whose smoke.json is of no use to a deployment, and says how to write it (%#)', async (text, what) => {
    const { train, evaluate, run, world } = await evaluated();
    const message = await train(right);
    const { id, token } = await run(message.data.run);
    await world.ports.blobs.create('jobs', `${name}/${id}/${token}/smoke.json`, text);
    expect((await evaluate(message)).outcome).toBe('bad-smoke');
    const { failure } = await run(id);
    expect(failure?.detail).toContain(`smoke.json ${what}: write at most 64 entries`);
    expect(world.all('models')).toEqual([]);
  });

  test('that takes several deliveries is one chain, however often each is repeated; the sweep begins it again only when it is lost', async () => {
    const { train, evaluate, run, world, sweep } = await evaluated();
    await threeShards(world);
    const first = await train(right);
    const waiting = () => world.sent.filter(({ queue }) => queue === 'evaluations');
    for (let copies = 0; copies < 2; copies++) expect(await evaluate(first)).toEqual({ outcome: 'continued' });
    expect((await sweep()).problems).toEqual([]);
    expect(waiting()).toHaveLength(1);

    world.sent.length = 0;
    world.pass(900);
    await sweep();
    expect(waiting()).toHaveLength(1);
    const again = waiting()[0]?.message as typeof first;
    expect(await evaluate(again)).toEqual({ outcome: 'approved', model: '1' });
    expect(await run(first.data.run)).toMatchObject({ state: 'registered', judgedAt: expect.any(String) });
  });

  test('that is cancelled before its next part goes no further', async () => {
    const { train, evaluate, run, world } = await evaluated();
    await threeShards(world);
    const message = await train(right);
    const slowly = world.before;
    world.before = async (operation, blob) => {
      await slowly(operation, blob);
      if (operation !== 'blobs.create' || !blob.includes('/evaluations/')) return;
      world.before = slowly;
      await cancelRun(world.ports, name, message.data.run, 'someone', cause);
    };
    expect((await evaluate(message)).outcome).toBe('ended-meanwhile');
    expect((await run(message.data.run)).state).toBe('cancelled');
    expect(world.sent.filter(({ queue }) => queue === 'evaluations')).toEqual([]);
  });

  test('that never ends is given up after a day by the sweep', async () => {
    const { train, run, world, sweep } = await evaluated();
    const message = await train(right);
    world.pass(23 * 3600);
    await sweep();
    expect(world.sent.filter((s) => s.queue === 'evaluations')).toHaveLength(1);
    expect((await run(message.data.run)).state).toBe('evaluating');
    world.pass(2 * 3600);
    await sweep();
    expect(await run(message.data.run)).toMatchObject({ state: 'failed', failure: { code: 'evaluation-stuck' } });
  });

  test('of a model that never ends loading fails the run in plain words, and registers nothing', async () => {
    const { ask, work, report, run, world } = await trainable();
    const { run: id } = await ask();
    await work();
    const token = (await run(id)).token ?? '';
    const model = encodeModel(endlessModel({ channels: 1, height: 8, width: 8, classes: 10 }));
    await world.ports.blobs.create('jobs', `${name}/${id}/${token}/model.onnx`, Buffer.from(model));
    await report(id, token, { sequence: 1, ...succeeded });
    const message = world.sent.find(({ queue }) => queue === 'evaluations')?.message as z.infer<typeof runTrained>;

    const validate = createModelCheck({ timeoutMs: 500, maxMemoryBytes: 1 << 30 });
    const ports = { ...world.ports, validate, toTensor: never, infer: never };
    expect(await handle(ports, message)).toEqual({ outcome: 'bad-model' });
    expect(await run(id)).toMatchObject({
      state: 'failed',
      failure: {
        code: 'bad-model',
        detail:
          'model.onnx was refused (does-not-run-timeout): no answer within 500 ms. A model must load and score one image, and as many as are scored at once, in that time: make it smaller.',
      },
    });
    expect(world.all('models')).toEqual([]);
  });
});
