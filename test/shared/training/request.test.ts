import { describe, expect, test } from 'vitest';
import type { VersionSummary } from '../../../shared/dataset/document.ts';
import type { TerminalError } from '../../../shared/errors.ts';
import { maxClasses } from '../../../shared/names.ts';
import { findVersion } from '../../../shared/dataset/find-version.ts';
import { maxTrainingSamples } from '../../../shared/training/untrainable.ts';
import { commitVersion, name, trainable } from '../evaluation/trainable.ts';

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
    const { run: newer, decision } = await ask({ id: 'c' });
    expect(decision.decision).toBe('wait');
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
    const { decision } = await ask({ id: 'c' });
    const into = decision.decision === 'coalesced' ? decision.into : expect.fail();
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

describe('a version that cannot be trained on is refused with what to do', () => {
  const head = (change: Partial<VersionSummary>) => async () => {
    const { ask, world } = await trainable();
    const first = await world.read('heads', name, 'head');
    if (!first?.head) throw new Error('no head');
    world.put('heads', { ...first, head: { ...first.head, ...change } });
    return ask().then(
      () => 'taken',
      (error: TerminalError) => `${error.code}: ${error.message}`,
    );
  };
  const classes = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`c${n}`, 1]));

  test('for too many classes', async () => {
    expect(await head({ byClass: classes(maxClasses) })()).toBe('taken');
    expect(await head({ byClass: classes(maxClasses + 1) })()).toMatch(/^too-many-classes: .*Name those to train/);
  });

  test('for more samples than a manifest is made for', async () => {
    const [train, validation] = [maxTrainingSamples - 5, 5];
    expect(await head({ bySplit: { train, validation, test: 1e6 } })()).toBe('taken');
    const tooMany = { train: train + 1, validation, test: 0 };
    expect(await head({ bySplit: tooMany })()).toMatch(/^too-many-samples: .*Divide the project/);
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
