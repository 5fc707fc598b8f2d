import { describe, expect, test } from 'vitest';
import { RetryLater, TerminalError } from '../../shared/errors.ts';
import { compose } from '../../shared/delivery/compose.ts';
import type { versionCommitted } from '../../shared/delivery/message.ts';
import type * as z from 'zod';
import { train } from '../../functions/train.ts';
import { cancelRun } from '../../shared/training/cancel.ts';
import { cause, commitVersion, name, trainable } from '../shared/evaluation/trainable.ts';

type VersionCommitted = z.infer<typeof versionCommitted>;

describe('a run', () => {
  test('is started once, however often its message comes', async () => {
    const { ask, work, world, run } = await trainable();
    const { run: id, decision } = await ask();
    expect(decision).toEqual({ decision: 'start', run: id });
    const [message] = world.sent;
    if (message !== undefined) world.sent.push({ ...message }, { ...message });
    expect(await work()).toEqual(['started', 'submitted', 'submitted']);
    expect(world.executions.size).toBe(1);
    expect((await run(id)).execution).toBe('trainer-1');
  });

  test('that waits begins when the one before it ends', async () => {
    const { ask, work, report, run, world } = await trainable();
    const first = (await ask({ id: 'a' })).run;
    const second = (await ask({ id: 'b' })).run;
    await work();
    const { token } = await run(first);
    await report(first, token ?? '', { kind: 'started', sequence: 1 });
    world.pass(50);
    await report(first, token ?? '', { kind: 'failed', sequence: 2, reason: 'no' });
    expect((await run(first)).computeSeconds).toBe(50);
    await work(5);
    expect((await run(second)).state).toBe('submitted');
    expect((await world.read('schedulers', name, 'scheduler'))?.computeSecondsToday).toBe(50);
  });

  test('cancelled while it waits, it gives its place up at once and for good', async () => {
    const { ask, work, run, world } = await trainable();
    await ask({ id: 'a' });
    const waiting = (await ask({ id: 'b' })).run;
    await cancelRun(world.ports, name, waiting, 'someone', cause);
    await work(1);
    expect((await world.read('schedulers', name, 'scheduler'))?.waiting).toBeNull();
    expect(await run(waiting)).toMatchObject({ state: 'cancelled', failure: { detail: 'Cancelled by someone.' } });
    const third = (await ask({ id: 'c' })).decision;
    expect(third.decision).toBe('wait');
  });

  test('that compute failed in every attempt leaves its version to be tried again with the next, unlike one that the trainer failed', async () => {
    for (const byCompute of [true, false]) {
      const { ask, work, run, report, world } = await trainable();
      const policy = { kind: 'policy', by: 'policy' } as const;
      const first = (await ask(policy)).run;
      world.before = (operation) => {
        if (byCompute && operation === 'compute.start') throw new Error('the job cannot be read');
      };
      await work(600);
      world.before = () => undefined;
      if (!byCompute)
        await report(first, (await run(first)).token ?? '', { kind: 'failed', sequence: 1, reason: 'no' });
      await work(600);
      expect(await run(first)).toMatchObject({ state: 'failed', failure: { retryable: byCompute } });
      await commitVersion(world, 2, 61);
      expect((await ask(policy)).decision.decision).toBe(byCompute ? 'start' : 'refused');
    }
  });

  test('waits for compute that has no room or does not answer, for hours, and begins within a quarter of one', async () => {
    const { ask, work, run, world } = await trainable();
    const { run: id } = await ask();
    let calls = 0;
    world.before = (operation) => {
      if (operation !== 'compute.start') return;
      calls++;
      throw new RetryLater('Azure has no free machine of this kind', { code: 'compute-capacity', service: 'Compute' });
    };
    expect(await work(5 * 3600)).toContain('start-later');
    const waiting = await run(id);
    expect(calls).toBeLessThan(30);
    expect(waiting).toMatchObject({ state: 'queued', putOffs: calls, failure: { code: 'compute-capacity' } });
    expect(waiting.attempts).toHaveLength(1);
    const waits = Date.parse(waiting.retryAt ?? '') - world.ports.clock.now().getTime();
    world.before = () => undefined;
    await work(waits / 1000);
    expect(await run(id)).toMatchObject({ state: 'submitted', attempt: calls + 1 });
    expect(world.executions.size).toBe(1);
  });

  test('whose compute is away for more than a day has failed, with what compute said last', async () => {
    const { ask, work, run, world } = await trainable();
    const { run: id } = await ask();
    world.before = (operation) => {
      if (operation === 'compute.start') throw new RetryLater('Compute did not answer', { service: 'Compute' });
    };
    await work(26 * 3600);
    expect(await run(id)).toMatchObject({ state: 'failed', putOffs: 100, failure: { code: 'start-failed' } });
  });

  test('with parameters that its trainer does not take is refused when it is asked for, and leaves no trace', async () => {
    const { ask, world } = await trainable();
    await expect(ask({ trainer: { parameters: { size: 0 } } })).rejects.toMatchObject({
      code: 'invalid-parameters',
      message: expect.stringContaining('size is 0 and has to be integer from 32 to 512'),
    });
    expect([...world.all('schedulers'), ...world.all('runs')]).toEqual([]);
  });

  test('by an own trainer gets its parameters and not those of the project, and a note where nobody can check them', async () => {
    const { ask, run } = await trainable({ trainer: { parameters: { size: 64 } } });
    const asked = await ask({ trainer: { name: 'mine', parameters: { depth: 2 } } });
    expect(asked.note).toContain('the job alone checks its name and parameters');
    expect((await run(asked.run)).trainer).toMatchObject({ name: 'mine', parameters: { depth: 2 } });
  });

  test('is not asked for by versions of a project whose settings no trainer takes: the settings may be others next time', async () => {
    const { world } = await trainable({ trainer: { parameters: { size: 0 } } });
    const head = await world.read('heads', name, 'head');
    const { version = '', number = 0 } = head?.head ?? {};
    const committed = compose<VersionCommitted>(
      'darkroom.version.committed',
      'x',
      { project: name, version, number },
      cause,
    );
    expect(await train(world.ports, committed)).toEqual({ outcome: 'invalid-parameters' });
  });

  test('that compute refused for good counts as not tried either', async () => {
    const { ask, work, run, world } = await trainable();
    const policy = { kind: 'policy', by: 'policy' } as const;
    const first = (await ask(policy)).run;
    world.before = (operation) => {
      if (operation === 'compute.start') throw new TerminalError('compute-missing', 'there is no such job');
    };
    await work(5);
    world.before = () => undefined;
    await work(5);
    expect(await run(first)).toMatchObject({ state: 'failed', failure: { code: 'compute-missing', retryable: false } });
    await commitVersion(world, 2, 61);
    expect((await ask(policy)).decision.decision).toBe('start');
  });

  test('does not begin by itself on a version that is too large, which is no poison', async () => {
    const { world } = await trainable();
    const head = await world.read('heads', name, 'head');
    if (!head?.head) throw new Error('no head');
    const large = { ...head.head, bySplit: { train: 1e6, validation: 0, test: 0 } };
    world.put('heads', { ...head, head: large });
    world.put('versions', { id: large.version, pk: name, ...large });
    const data = { project: name, version: large.version, number: 1 };
    const message = compose<VersionCommitted>('darkroom.version.committed', name, data, cause);
    expect(await train(world.ports, message)).toEqual({ outcome: 'too-many-samples' });
    expect(world.all('runs')).toEqual([]);
  });

  test('held back by a cooldown begins when the cooldown is over, without any new request', async () => {
    const { ask, work, report, run, world } = await trainable({ retrain: { cooldownSeconds: 600, minNewSamples: 1 } });
    const first = (await ask({ kind: 'policy', by: 'policy' })).run;
    await commitVersion(world, 2, 70);
    const second = (await ask({ kind: 'policy', by: 'policy' })).run;
    await work();
    await report(first, (await run(first)).token ?? '', { kind: 'failed', sequence: 1, reason: 'no' });
    expect(await work(5)).toContain('held-back');
    expect((await run(second)).state).toBe('queued');
    await work(600);
    expect((await run(second)).state).toBe('submitted');
    expect(world.executions.size).toBe(2);
  });
});
