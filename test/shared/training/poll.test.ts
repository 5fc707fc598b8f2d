import { describe, expect, test } from 'vitest';
import { cancelRun } from '../../../shared/training/cancel.ts';
import { reconcileRun } from '../../../shared/training/poll.ts';
import { cause, name, succeeded, trainable } from '../evaluation/trainable.ts';

/** A run whose job waited for a machine and has begun. */
async function begun(trainer: { timeoutSeconds: number }) {
  const it = await trainable({ trainer });
  const { run: id } = await it.ask();
  await it.work(500);
  const token = (await it.run(id)).token ?? '';
  await it.report(id, token, { kind: 'started', sequence: 1 });
  return { ...it, id, token };
}

describe('infrastructure failures', () => {
  test('are tried again after 5, 20 and 80 seconds, then the run has failed with the reason', async () => {
    const { ask, work, run, world } = await trainable();
    const starts: number[] = [];
    world.before = (operation) => {
      if (operation !== 'compute.start') return;
      starts.push(world.ports.clock.now().getTime());
      throw new Error('QuotaExceeded: no GPU left');
    };
    const { run: id } = await ask();
    await work(600);
    expect(starts.map((t, i) => (t - (starts[i - 1] ?? t)) / 1000)).toEqual([0, 5, 20, 80]);
    const failed = await run(id);
    expect(failed).toMatchObject({ state: 'failed', attempt: 4, failure: { code: 'start-failed' } });
    expect(failed.failure?.detail).toContain('QuotaExceeded: no GPU left');
    expect(failed.attempts).toHaveLength(4);
    expect((await world.read('schedulers', name, 'scheduler'))?.active).toBeNull();
  });

  test('a job that falls silent is stopped and started again under a new token', async () => {
    const { ask, work, report, run, world } = await trainable();
    const { run: id } = await ask();
    await work();
    const { token } = await run(id);
    await report(id, token ?? '', { kind: 'started', sequence: 1 });
    await work(100);
    expect((await run(id)).state).toBe('running');
    await work(60);
    expect(world.executions.get('trainer-1')?.state).toBe('stopped');
    const again = await run(id);
    expect(again).toMatchObject({ state: 'submitted', attempt: 2, execution: 'trainer-2', startedAt: null });
    expect(again.token).not.toBe(token);
    expect(await report(id, token ?? '', { ...succeeded, sequence: 2 })).toBe('ignored');
  });

  test('a job that vanished without a word is started again', async () => {
    const { ask, work, run, world } = await trainable();
    const { run: id } = await ask();
    await work();
    world.executions.clear();
    await work(60);
    expect((await run(id)).attempts[0]?.failure).toContain('knows nothing of the execution');
  });

  test('a job that does not begin is given up after a quarter of an hour, whatever its own time limit', async () => {
    const { ask, work, run } = await trainable({ trainer: { timeoutSeconds: 10 } });
    const { run: id } = await ask();
    await work(800);
    expect((await run(id)).state).toBe('submitted');
    await work(200);
    expect((await run(id)).attempts[0]?.failure).toContain('did not begin within 900 s');
  });

  test('a job beyond its time limit is stopped and its run has failed for good', async () => {
    const { id, token, work, report, run, world } = await begun({ timeoutSeconds: 30 });
    for (let i = 2; i < 10; i++) {
      await work(15);
      await report(id, token, { kind: 'heartbeat', sequence: i });
    }
    expect(await run(id)).toMatchObject({ state: 'failed', failure: { code: 'deadline' } });
    expect(world.executions.get('trainer-1')?.state).toBe('stopped');
  });

  test('a job that ended early, and is looked at only when its time is over, is tried again', async () => {
    const { id, token, work, run, world } = await begun({ timeoutSeconds: 30 });
    world.sent.length = 0;
    world.executions.set('trainer-1', { ...world.executions.get('trainer-1')!, state: 'failed' });
    world.pass(3600);
    const look = await reconcileRun(world.ports, { project: name, run: id, token }, cause);
    expect(look.outcome).toBe('execution-failed');
    await work(10);
    expect(await run(id)).toMatchObject({ state: 'submitted', attempt: 2 });
  });

  test('a job beyond its time limit has failed for good, though the look that stopped it died and its own word came first', async () => {
    const { id, token, work, report, run, world } = await begun({ timeoutSeconds: 30 });
    const stop = world.ports.compute.stop.bind(world.ports.compute);
    world.ports.compute.stop = async (execution) => {
      await stop(execution);
      throw new Error('died');
    };
    const looks: string[] = [];
    for (let i = 2; i < 10 && !looks.includes('died'); i++) {
      looks.push(...(await work(15).catch((error: Error) => [error.message])));
      if (!looks.includes('died')) await report(id, token, { kind: 'heartbeat', sequence: i });
    }
    expect(looks).toContain('died');
    await report(id, token, { kind: 'failed', sequence: 20, reason: 'terminated' });
    expect(await run(id)).toMatchObject({ state: 'failed', failure: { code: 'deadline' } });
  });
});

describe('reports', () => {
  test('a heartbeat that overtakes the first report stops nothing', async () => {
    const { ask, work, report, run, world } = await trainable();
    const { run: id } = await ask();
    await work();
    const token = (await run(id)).token ?? '';
    expect(await report(id, token, { kind: 'heartbeat', sequence: 2 })).toBe('heartbeat');
    expect(await report(id, token, { kind: 'started', sequence: 1 })).toBe('started');
    expect(world.executions.get('trainer-1')?.state).toBe('running');
    expect(await run(id)).toMatchObject({ boundTo: 'trainer-1', lastReport: { sequence: 2 } });
  });

  test('whose events are lost are read when the job has ended, instead of training again', async () => {
    const { ask, work, report, run, world } = await trainable();
    const { run: id } = await ask();
    await work();
    const token = (await run(id)).token ?? '';
    await report(id, token, { kind: 'started', sequence: 1 });
    await report(id, token, { kind: 'heartbeat', sequence: 2 }, true);
    await report(id, token, { ...succeeded, sequence: 3 }, true);
    const execution = world.executions.get('trainer-1');
    if (execution !== undefined) execution.state = 'succeeded';
    expect(await work(61)).toContain('reports-were-late');
    expect(await run(id)).toMatchObject({ state: 'evaluating', attempt: 1 });
  });

  test('an unreadable one among them does not hide the others', async () => {
    const { ask, work, report, run, world } = await trainable();
    const { run: id } = await ask();
    await work();
    const token = (await run(id)).token ?? '';
    await report(id, token, { kind: 'nonsense', sequence: 1 }, true);
    await report(id, token, { ...succeeded, sequence: 2 }, true);
    world.executions.clear();
    await work(61);
    expect((await run(id)).state).toBe('evaluating');
  });

  test('cannot stop an execution that was not started for this very run', async () => {
    const { ask, work, report, run, world } = await trainable();
    const { run: id } = await ask();
    await work();
    expect(await report('other', 'made-up', { kind: 'started', sequence: 1 })).toBe('ignored');
    expect(await report(id, 'made-up', { kind: 'started', sequence: 1 })).toBe('ignored');
    expect(world.executions.get('trainer-1')?.state).toBe('running');
    expect((await run(id)).state).toBe('submitted');
  });
});

describe('cancelling', () => {
  test('tells the job, stops its execution, ends the run; asked again it answers the same', async () => {
    const { ask, work, report, run, world } = await trainable();
    const { run: id } = await ask();
    await work();
    const token = (await run(id)).token ?? '';
    await report(id, token, { kind: 'started', sequence: 1 });
    for (let i = 0; i < 2; i++) {
      expect(await cancelRun(world.ports, name, id, 'someone', cause)).toMatchObject({
        document: { state: 'cancelled' },
      });
    }
    const job = await world.ports.blobs.get('jobs', `${name}/${id}/${token}/job.json`, { maxBytes: 1e6 });
    expect(job).not.toBe('too-large');
    expect(JSON.parse(String(typeof job === 'object' ? job.body : ''))).toMatchObject({ cancelRequested: true });
    expect(world.executions.get('trainer-1')?.state).toBe('stopped');
    expect(await report(id, token, { ...succeeded, sequence: 2 })).toBe('ignored');
    expect(await cancelRun(world.ports, name, 'no-such-run', 'someone', cause)).toBe('unknown');
  });

  test('that died halfway is carried out by the next look at the run', async () => {
    const { ask, work, run, world } = await trainable();
    const { run: id } = await ask();
    await work();
    const { compute } = world.ports;
    world.ports.compute = { ...compute, stop: () => Promise.reject(new Error('503')) };
    await expect(cancelRun(world.ports, name, id, 'someone', cause)).rejects.toThrow('503');
    world.ports.compute = compute;
    expect((await run(id)).state).toBe('submitted');
    await work(60);
    expect((await run(id)).state).toBe('cancelled');
    expect(world.executions.get('trainer-1')?.state).toBe('stopped');
  });
});

test('retries of a run leave one chain of looks, and none after its end', async () => {
  const { ask, work, run, world, report } = await trainable();
  const { run: id } = await ask();
  await work();
  for (let i = 0; i < 3; i++) {
    await report(id, (await run(id)).token ?? '', { kind: 'failed', sequence: 1, reason: 'terminated' });
    await work(100);
    expect(world.sent.map((s) => s.message.type)).toEqual(['darkroom.run.poll']);
  }
  await report(id, (await run(id)).token ?? '', { kind: 'failed', sequence: 1, reason: 'terminated' });
  await work(100);
  expect(world.sent).toEqual([]);
});
