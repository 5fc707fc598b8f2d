import { describe, expect, test } from 'vitest';
import { applyToEndpoint } from '../../shared/endpoint/apply.ts';
import { cancelRun } from '../../shared/training/cancel.ts';
import { evaluated, right, wrong } from '../shared/evaluation/evaluated.ts';
import { cause, name } from '../shared/evaluation/trainable.ts';

describe('an evaluation', () => {
  test('that finds bytes which are registered already means that model', async () => {
    const { train, evaluate, world } = await evaluated();
    await evaluate(await train(right, 'same bytes'));
    expect(await evaluate(await train(right, 'same bytes'))).toMatchObject({ model: '1' });
    expect(world.all('models')).toHaveLength(1);
  });

  test('of bytes that were approved once goes by what the gate finds now', async () => {
    const { train, evaluate, run, world, deployAll, endpoint } = await evaluated({
      gate: { minimum: 0, maxRegression: 0, baseline: 'noted' },
    });
    await evaluate(await train(wrong, 'the same bytes'));
    await evaluate(await train(right));
    await deployAll();
    const again = await train(wrong, 'the same bytes');
    expect(await evaluate(again)).toEqual({ outcome: 'rejected', model: '1' });
    const ended = await run(again.data.run);
    expect(ended).toMatchObject({
      state: 'rejected',
      model: 1,
      verdict: { decision: 'rejected', champion: { model: 2 } },
    });
    expect(world.all('models').map(({ state }) => state)).toEqual(['approved', 'approved']);
    expect(await deployAll()).toEqual([]);
    expect((await endpoint())?.production?.model).toBe(2);
  });

  test('of bytes that were rolled back does not put them live again, though the gate finds them good', async () => {
    const { train, evaluate, run, world, deployAll, endpoint } = await evaluated({
      gate: { minimum: 0, baseline: 'noted' },
    });
    await evaluate(await train(wrong));
    await deployAll();
    await evaluate(await train(right, 'the same bytes'));
    await deployAll();
    const at = world.ports.clock.now().toISOString();
    const rollback = { kind: 'rollback' as const, by: 'operator', reason: 'wrong answers', at, deployment: 'b-1' };
    await applyToEndpoint(world.ports, name, rollback, cause);
    const again = await train(right, 'the same bytes');
    expect(await evaluate(again)).toEqual({ outcome: 'approved', model: '2' });
    expect((await run(again.data.run)).state).toBe('registered');
    expect((await run(again.data.run)).verdict?.reasons.at(-1)).toContain('to have it again, deploy it');
    expect(await deployAll()).toEqual([]);
    expect((await endpoint())?.production?.model).toBe(1);
  });

  test('of bytes whose first run was cancelled before they were deployed deploys them', async () => {
    const { train, evaluate, world, deployAll, endpoint } = await evaluated();
    const first = await train(right, 'the same bytes');
    let cancelled = false;
    world.before = async (operation, container) => {
      if (cancelled || operation !== 'documents.create' || container !== 'models') return;
      cancelled = true;
      await cancelRun(world.ports, name, first.data.run, 'someone', cause);
    };
    await evaluate(first);
    expect(await deployAll()).toEqual([]);
    await evaluate(await train(right, 'the same bytes'));
    expect(await deployAll()).toEqual(['live']);
    expect((await endpoint())?.production?.model).toBe(1);
  });

  test('of bytes that were rejected once says so, and how to let them in', async () => {
    const { train, evaluate, run, world, project, deployAll } = await evaluated();
    await evaluate(await train(wrong, 'the same bytes'));
    const { settings } = project;
    world.put('projects', {
      ...project,
      settings: { ...settings, gate: { ...settings.gate, minimum: 0, baseline: 'noted' } },
    });
    const again = await train(wrong, 'the same bytes');
    expect(await evaluate(again)).toEqual({ outcome: 'rejected', model: '1' });
    expect((await run(again.data.run)).verdict?.reasons.at(-1)).toBe(
      'failed: the bytes are those of model 1, which was rejected by gate; approve that model if this no longer holds',
    );
    expect(await deployAll()).toEqual([]);
  });
});
