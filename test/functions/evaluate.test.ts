import { describe, expect, test } from 'vitest';
import { evaluate } from '../../functions/evaluate.ts';
import type { runTrained } from '../../shared/message.ts';
import { encodeModel } from '../../shared/onnx/encode.ts';
import { createModelCheck } from '../../shared/onnx/model-check.ts';
import { endlessModel } from '../shared/onnx/nasty-models.ts';
import { name, succeeded, trainable } from './trainable.ts';
import type * as z from 'zod';

const never = (): Promise<never> => Promise.reject(new Error('a model that cannot be loaded is not scored'));

describe('evaluation', () => {
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
    expect(await evaluate(ports, message)).toEqual({ outcome: 'bad-model' });
    expect(await run(id)).toMatchObject({
      state: 'failed',
      failure: {
        code: 'bad-model',
        detail:
          'model.onnx was refused (does-not-run-timeout): no answer within 500 ms. A model must load and score 32 images in that time: make it smaller.',
      },
    });
    expect(world.all('models')).toEqual([]);
  });
});
