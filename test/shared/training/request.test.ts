import { describe, expect, test } from 'vitest';
import { findVersion } from '../../../shared/training/request.ts';
import { commitVersion, name, trainable } from '../../functions/trainable.ts';

describe('coalescing', () => {
  test('ends the run that gave way, also when the request dies before it did so', async () => {
    const { ask, run, world } = await trainable({ retrain: { minNewSamples: 1 } });
    await ask({ id: 'a' });
    const old = (await ask({ id: 'b' })).run;
    await commitVersion(world, 2, 70);
    let broken = true;
    world.before = (operation, container) => {
      if (broken && operation === 'documents.create' && container === 'runs') throw new Error('died');
    };
    await expect(ask({ id: 'c' })).rejects.toThrow('died');
    expect((await run(old)).state).toBe('queued');
    broken = false;
    const { run: newer, verdict } = await ask({ id: 'c' });
    expect(verdict.verdict).toBe('wait');
    expect(await run(old)).toMatchObject({ state: 'cancelled', failure: { code: 'coalesced' } });
    expect((await run(newer)).state).toBe('queued');
  });

  test('names a run that is there, though whoever asked for that one died before it was made', async () => {
    const { ask, run, world } = await trainable({ retrain: { minNewSamples: 1 } });
    await ask({ id: 'a' });
    let broken = true;
    world.before = (operation, container) => {
      if (broken && operation === 'documents.create' && container === 'runs') throw new Error('died');
    };
    await expect(ask({ id: 'b' })).rejects.toThrow('died');
    broken = false;
    const { verdict } = await ask({ id: 'c' });
    const into = verdict.verdict === 'coalesced' ? verdict.into : expect.fail();
    expect((await run(into)).state).toBe('queued');
  });

  test('ends a run whose document is made after another has taken its place', async () => {
    const { ask, world } = await trainable({ retrain: { minNewSamples: 1 } });
    await ask({ id: 'a' });
    let interfered = false;
    world.before = async (operation, container) => {
      if (interfered || operation !== 'documents.create' || container !== 'runs') return;
      interfered = true;
      await commitVersion(world, 2, 70);
      await ask({ id: 'c' });
    };
    const slow = (await ask({ id: 'b', version: '1' })).run;
    expect((await world.read('runs', name, slow))?.state).toBe('cancelled');
    expect(world.all('runs').filter((r) => r.state === 'queued')).toHaveLength(2);
  });

  test('the sweep ends a queued run that nobody knows any more', async () => {
    const { ask, run, world, sweep } = await trainable();
    await ask({ id: 'a' });
    const lost = (await ask({ id: 'b' })).run;
    const scheduler = await world.read('schedulers', name, 'scheduler');
    if (scheduler !== undefined) world.put('schedulers', { ...scheduler, waiting: null });
    expect((await sweep()).problems).toEqual([]);
    expect((await run(lost)).state).toBe('cancelled');
  });
});

test('a version that is the head is found before its document is written, since its committer may die between the two', async () => {
  const { world } = await trainable();
  const head = (await findVersion(world.ports, name, 'head')).version;
  await world.ports.documents.remove('versions', name, head);
  for (const wanted of [head, '1', 'head', undefined])
    expect((await findVersion(world.ports, name, wanted)).version).toBe(head);
  await expect(findVersion(world.ports, name, '2')).rejects.toThrow('has no version 2');
});
