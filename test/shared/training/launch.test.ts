import { describe, expect, test } from 'vitest';
import { cancelRun } from '../../../shared/training/cancel.ts';
import { jobDocument, type JobDocument, terminated } from '../../../shared/training/job-contract.ts';
import { reconcileRun } from '../../../shared/training/poll.ts';
import { maxAttempts } from '../../../shared/training/run.ts';
import { cause, name, trainable } from '../evaluation/trainable.ts';

const moment = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

describe('the start call', () => {
  test('whose answer is lost counts as done when the job has reported already', async () => {
    const { ask, work, report, run, world } = await trainable();
    const { run: id } = await ask();
    const { compute } = world.ports;
    const start = async (environment: Record<string, string>) => {
      await compute.start(environment);
      await report(id, environment['DARKROOM_TOKEN'] ?? '', { kind: 'started', sequence: 1 });
      throw new Error('ETIMEDOUT');
    };
    world.ports.compute = { ...compute, start };
    await work(60);
    expect(await run(id)).toMatchObject({ state: 'running', attempt: 1 });
    expect(world.executions.size).toBe(1);
  });

  test('whose answer is lost before the job reports makes a stranger, which is stopped by its first report', async () => {
    const { ask, work, report, run, world } = await trainable();
    const { run: id } = await ask();
    const { compute } = world.ports;
    let lost = '';
    const start = async (environment: Record<string, string>) => {
      const answer = await compute.start(environment);
      if (lost !== '') return answer;
      lost = environment['DARKROOM_TOKEN'] ?? '';
      throw new Error('ETIMEDOUT');
    };
    world.ports.compute = { ...compute, start };
    await work(10);
    expect(await run(id)).toMatchObject({ state: 'submitted', attempt: 2, execution: 'trainer-2' });
    await report(id, lost, { kind: 'started', sequence: 1 });
    expect([...world.executions.values()].map((e) => e.state)).toEqual(['stopped', 'running']);
  });

  test('that died after it took effect is found by its token, not repeated', async () => {
    const { ask, work, run, world } = await trainable();
    const { run: id } = await ask();
    let died = false;
    world.before = (operation, container) => {
      if (died || operation !== 'documents.replace' || container !== 'runs' || world.executions.size === 0) return;
      died = true;
      throw new Error('died');
    };
    const [message] = world.sent;
    await expect(work()).rejects.toThrow('died');
    if (message !== undefined) world.sent.unshift(message);
    expect(await work()).toEqual(['found']);
    expect((await run(id)).execution).toBe('trainer-1');
    expect(world.executions.size).toBe(1);
  });

  test('whose caller dies each time is made four times in all, each after its backoff', async () => {
    const { ask, work, run, world } = await trainable();
    const { run: id } = await ask();
    // who makes the call never comes back
    const { compute } = world.ports;
    let calls = 0;
    world.ports.compute = { ...compute, start: () => (calls++, new Promise<never>(() => undefined)) };
    for (let i = 0; i < 60 && (await run(id)).state !== 'failed'; i++) await Promise.race([work(30), moment()]);
    expect(calls).toBe(maxAttempts);
    const { failure, attempts } = await run(id);
    expect(failure).toMatchObject({ code: 'start-failed', retryable: true });
    expect(failure?.detail).toContain('Nothing is known of the execution');
    const begun = attempts.map(({ endedAt }) => Date.parse(endedAt) / 1000);
    for (let i = 1; i < begun.length; i++) expect((begun[i] ?? 0) - (begun[i - 1] ?? 0)).toBeGreaterThan(90);
  });

  test('may come long after the request: preparing a large manifest starts no second job', async () => {
    const { ask, work, world } = await trainable();
    await ask();
    world.before = (operation, blob) => {
      if (operation === 'blobs.create' && blob.endsWith('manifest.ndjson')) world.pass(200);
    };
    await work(100);
    expect(world.executions.size).toBe(1);
  });

  test('may be slow: a look meanwhile starts no second job', async () => {
    const { ask, work, run, world } = await trainable();
    const { run: id } = await ask();
    let seen = '';
    world.before = async (operation) => {
      if (operation !== 'compute.start' || seen !== '') return;
      seen = 'looking';
      world.pass(50);
      const token = (await run(id)).token ?? '';
      seen = (await reconcileRun(world.ports, { project: name, run: id, token }, cause)).outcome;
    };
    await work();
    expect(seen).toBe('starting');
    expect(world.executions.size).toBe(1);
  });

  test('is not made for a run that has ended: whoever waits behind it begins', async () => {
    const { ask, work, run, world } = await trainable();
    const first = (await ask({ id: 'a' })).run;
    const second = (await ask({ id: 'b' })).run;
    world.put('runs', { ...(await run(first)), state: 'cancelled' });
    expect(await work(1)).toEqual(['cancelled', 'next-run-queued', 'started']);
    expect((await run(second)).state).toBe('submitted');
  });

  test('is followed by a stop when the run was cancelled meanwhile', async () => {
    const { ask, work, run, world } = await trainable();
    const { run: id } = await ask();
    world.before = async (operation) => {
      if (operation === 'compute.start') await cancelRun(world.ports, name, id, 'someone', cause);
    };
    expect(await work()).toContain('started-for-nobody');
    expect((await run(id)).state).toBe('cancelled');
    expect(world.executions.get('trainer-1')?.state).toBe('stopped');
  });
});

test('an attempt keeps its checkpoint at an address of its own, and is given those of the attempts before it', async () => {
  const { ask, work, report, run, world } = await trainable();
  const { run: id } = await ask();
  const jobs: JobDocument[] = [];
  for (let attempt = 1; attempt <= 3; attempt++) {
    await work(300);
    const token = (await run(id)).token ?? '';
    const found = await world.ports.blobs.get('jobs', `${name}/${id}/${token}/job.json`, { maxBytes: 1e6 });
    if (found === undefined || found === 'too-large') throw new Error(`attempt ${attempt} has no job`);
    jobs.push(jobDocument.parse(JSON.parse(found.body.toString('utf8'))));
    await report(id, token, { kind: 'started', sequence: 1 });
    await report(id, token, { kind: 'failed', sequence: 2, reason: terminated });
  }
  const kept = (token: string): string => `/jobs/${name}/${id}/${token}/checkpoint`;
  const tokens = jobs.map(({ token }) => token);
  expect(new Set(tokens).size).toBe(3);
  jobs.forEach(({ checkpoint }, index) => {
    const put = new URL(checkpoint?.putUrl ?? '');
    expect([put.pathname, put.searchParams.get('sp')]).toEqual([kept(tokens[index] ?? ''), 'overwrite']);
    const before = (checkpoint?.getUrls ?? []).map((url) => new URL(url));
    expect(before.map(({ pathname }) => pathname)).toEqual(tokens.slice(0, index).toReversed().map(kept));
    for (const { searchParams } of before) expect(searchParams.get('sp')).toBe('read');
  });
});
