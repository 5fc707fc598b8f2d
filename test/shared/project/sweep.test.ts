import { describe, expect, test } from 'vitest';
import { cancelRun } from '../../../shared/training/cancel.ts';
import { cause, commitVersion, name, trainable } from '../evaluation/trainable.ts';

describe('the sweep', () => {
  test('starts a run whose message and document were lost', async () => {
    const { ask, work, run, world, sweep } = await trainable();
    const { run: id } = await ask();
    world.sent.length = 0;
    await world.ports.documents.remove('runs', name, id);
    world.pass(900);
    expect((await sweep()).problems).toEqual([]);
    await work();
    expect((await run(id)).state).toBe('submitted');
  });

  test('lets the next run begin when the news of the end was lost', async () => {
    const { ask, work, run, world, report, sweep } = await trainable();
    const first = (await ask({ id: 'a' })).run;
    const second = (await ask({ id: 'b' })).run;
    await work();
    await report(first, (await run(first)).token ?? '', { kind: 'failed', sequence: 1, reason: 'no' });
    world.sent.length = 0;
    world.pass(900);
    await sweep();
    await work();
    expect((await run(second)).state).toBe('submitted');
  });

  test('lets a run begin that a cooldown held back, when the message for it was lost', async () => {
    const { ask, work, run, world, report, sweep } = await trainable({
      retrain: { cooldownSeconds: 600, minNewSamples: 1 },
    });
    const first = (await ask({ kind: 'policy', by: 'policy' })).run;
    await commitVersion(world, 2, 70);
    const second = (await ask({ kind: 'policy', by: 'policy' })).run;
    await work();
    await report(first, (await run(first)).token ?? '', { kind: 'failed', sequence: 1, reason: 'no' });
    await work(1);
    world.sent.length = 0;
    world.pass(900);
    await sweep();
    await work();
    expect((await run(second)).state).toBe('submitted');
  });

  test('sends what a run that is not at work still has to say: one that was cancelled while it waited frees its place', async () => {
    const { ask, run, world, sweep, work } = await trainable();
    await ask({ id: 'a' });
    const { run: second } = await ask({ id: 'b' });
    await work();
    world.before = (operation) => {
      if (operation === 'messages.send') throw new Error('the broker is away');
    };
    await expect(cancelRun(world.ports, name, second, 'someone', cause)).rejects.toThrow('away');
    world.before = () => undefined;
    const waiting = async () => (await world.read('schedulers', name, 'scheduler'))?.waiting?.run;
    expect([(await run(second)).state, await waiting()]).toEqual(['cancelled', second]);
    world.pass(900);
    expect((await sweep()).problems).toEqual([]);
    expect((await run(second)).outbox).toEqual([]);
    await work();
    expect(await waiting()).toBeUndefined();
  });

  test('adds no further chain of looks to a run that is well', async () => {
    const { ask, work, run, world, report, sweep } = await trainable();
    const { run: id } = await ask();
    await work();
    const token = (await run(id)).token ?? '';
    for (let i = 1; i <= 20; i++) {
      await report(id, token, { kind: i === 1 ? 'started' : 'heartbeat', sequence: i });
      await work(50);
      await sweep();
    }
    expect(world.sent).toHaveLength(1);
  });
});
