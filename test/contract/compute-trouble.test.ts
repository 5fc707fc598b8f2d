/** What goes wrong with training machines in Azure: the adapter on the look-alike, and what a person then reads of the run. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ContainerApps, startContainerApps } from '../../local/container-apps/server.ts';
import type { Trouble } from '../../local/container-apps/trouble.ts';
import { toTrainingView } from '../../shared/api/views/training.ts';
import { containerAppsCompute } from '../../shared/azure/container-apps.ts';
import { isOutage } from '../../shared/azure/outage.ts';
import type { Compute } from '../../shared/ports.ts';
import { maxPutOffs } from '../../shared/training/run.ts';
import { trainable } from '../shared/evaluation/trainable.ts';

const credential = { getToken: async () => ({ token: 'local', expiresOnTimestamp: Date.now() + 3_600_000 }) };
const troubles: Trouble[] = [];
let dataDir: string;
let service: ContainerApps;
let compute: Compute;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arm-trouble-'));
  const job = { command: ['/bin/sleep', '0.2'], cwd: tmpdir(), memoryMb: 200, timeoutSeconds: 60, maxParallel: 8 };
  service = await startContainerApps({ port: 0, dataDir, jobs: { trainer: job }, troubles, accessToken: 'local' });
  compute = containerAppsCompute(service.endpoint, service.jobResourceId('trainer'), credential, 3000);
});
beforeEach(() => void troubles.splice(0));
afterAll(async () => {
  await service.close();
  await rm(dataDir, { recursive: true, force: true });
});

const quota: Trouble = {
  kind: 'refused',
  status: 400,
  code: 'WorkloadProfileMaximumCoresExceeded',
  message: 'Maximum Allowed Cores exceeded for the Managed Environment.',
};
const unregistered: Trouble = {
  kind: 'refused',
  status: 409,
  code: 'MissingSubscriptionRegistration',
  message: "The subscription is not registered to use namespace 'Microsoft.App'.",
};

let tokens = 0;
const startWith = async (...next: Trouble[]) => {
  troubles.push(...next);
  const token = `t${++tokens}`;
  const failure = await compute.start({ DARKROOM_TOKEN: token }).then(
    ({ execution }) => ({ execution }),
    (error: Error & { code?: string; afterSeconds?: number }) => ({ error }),
  );
  const executions = (await compute.list()).filter((one) => one.environment['DARKROOM_TOKEN'] === token);
  return { ...failure, executions };
};

describe('the start call', () => {
  test('follows a long-running operation to the name of the execution', async () => {
    const started = await startWith({ kind: 'slow', polls: 3 });
    expect(started).toMatchObject({ execution: started.executions[0]?.name });
  });

  test('that is answered 503 although it took effect finds its execution and starts no second one', async () => {
    const started = await startWith({ kind: 'answer-lost' });
    expect(started.executions).toHaveLength(1);
    expect(started).toMatchObject({ execution: started.executions[0]?.name });
  });

  test('that is refused says so in plain words, and whether to try again', async () => {
    const { error: full, executions } = (await startWith(quota)) as { error: Error; executions: unknown[] };
    expect(full).toMatchObject({ name: 'RetryLater', code: 'compute-quota' });
    expect(full.message).toMatch(/quota .* deploy with compute = cpu\. \(Azure answered 400, WorkloadProfileMax/);
    expect(executions).toEqual([]);
    expect(await startWith(unregistered)).toMatchObject({
      error: { name: 'TerminalError', code: 'provider-not-registered' },
    });
  });

  test('hands on how long Azure asks to wait', async () => {
    const busy = { ...quota, status: 429, code: 'TooManyRequests', message: 'slow down', retryAfterSeconds: 240 };
    expect(await startWith(busy)).toMatchObject({ error: { code: 'compute-throttled', afterSeconds: 240 } });
  });

  test('whose operation fails is refused with what the operation says', async () => {
    const trouble = { kind: 'provisioning-failed', code: 'SkuNotAvailable', message: 'no T4 here' } as const;
    expect(await startWith(trouble)).toMatchObject({ error: { code: 'compute-capacity' }, executions: [] });
  });

  test('that Azure never answers is over within its limit, however patient each request is', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const impatient = containerAppsCompute(`http://127.0.0.1:${port}`, '/jobs/trainer', credential, 500);
    // one request alone has 20 s
    await expect(impatient.start({})).rejects.toMatchObject({ name: 'AbortError' });
    silent.closeAllConnections();
    silent.close();
  }, 10_000);

  test('whose identity does not answer is over within its limit, and what that says later disturbs nobody', async () => {
    const late = Promise.withResolvers<never>();
    const tokens = { getToken: () => late.promise };
    const waiting = containerAppsCompute(service.endpoint, service.jobResourceId('trainer'), tokens, 200);
    await expect(waiting.start({})).rejects.toSatisfy(isOutage);
    late.reject(new Error('too late'));
    await sleep(10);
  }, 10_000);
});

test('a look at a start that is refused leaves open whether the start took effect', async () => {
  const look = { kind: 'provisioning-failed', status: 403, code: 'AuthorizationFailed', message: 'no' } as const;
  const { error } = (await startWith(look)) as { error: Error };
  expect(error).toMatchObject({ name: 'RetryLater', code: undefined });
  expect(error.message).toContain('was accepted by Azure, and cannot be followed (403)');
});

test('a start that is accepted and lost leaves open whether it took effect, and another attempt follows', async () => {
  const { work, seen } = await runOnLookAlike({ kind: 'lost' });
  await work(4);
  expect(await seen()).toMatchObject({ state: 'queued', attempt: 1, code: 'start-failed' });
  expect((await seen()).detail).toContain('was accepted by Azure, but did not end in time');
  await work(10);
  expect(await seen()).toMatchObject({ state: 'submitted', attempt: 2 });
});

/** A run that trains on the look-alike, in a world whose clock is set. */
async function runOnLookAlike(...next: Trouble[]) {
  const it = await trainable();
  it.world.ports.compute = compute;
  const { run } = await it.ask();
  troubles.push(...next);
  return {
    ...it,
    /** what the API answers for the run */
    seen: async () => {
      const { state, attempt, failure, attempts } = toTrainingView(await it.run(run));
      return { state, attempt, code: failure?.code, detail: failure?.detail ?? '', attempts };
    },
  };
}

describe('a person who looks at the run', () => {
  test('reads at once what to do when no repetition helps', async () => {
    const { work, seen } = await runOnLookAlike(unregistered);
    await work();
    expect(await seen()).toMatchObject({ state: 'failed', attempt: 1, code: 'provider-not-registered' });
    expect((await seen()).detail).toContain('az provider register --namespace Microsoft.App');
  });

  test('sees a run that waits for quota, with the reason, and that goes on by itself once there is some', async () => {
    const { work, seen } = await runOnLookAlike(quota, quota);
    await work(4);
    expect(await seen()).toMatchObject({ state: 'queued', attempt: 1, code: 'compute-quota' });
    await work(30);
    expect(await seen()).toMatchObject({ state: 'submitted', attempt: 3 });
  });

  test('sees it wait with the reason for a day, and then failed, when quota never comes', async () => {
    const { work, seen } = await runOnLookAlike(...Array.from({ length: maxPutOffs + 4 }, () => quota));
    await work(3600);
    expect(await seen()).toMatchObject({ state: 'queued', code: 'compute-quota' });
    await work(2 * 86_400);
    expect(await seen()).toMatchObject({ state: 'failed', code: 'compute-quota' });
    expect((await seen()).detail).toContain('Ask for more under Quotas in the portal');
  });

  test('sees the next attempt begin no sooner than Azure asked', async () => {
    const { work, seen } = await runOnLookAlike({
      ...quota,
      status: 429,
      code: 'TooManyRequests',
      retryAfterSeconds: 240,
    });
    await work(200);
    expect(await seen()).toMatchObject({ state: 'queued', attempt: 1 });
    await work(60);
    expect(await seen()).toMatchObject({ state: 'submitted', attempt: 2 });
  });

  test('learns that the image could not be pulled, and sees the next attempt run', async () => {
    const information = 'ImagePullBackOff: Back-off pulling image "ghcr.io/someone/trainer@sha256:0"';
    const { work, seen } = await runOnLookAlike({ kind: 'no-pull', information });
    await work(60);
    const { state, attempts, detail } = await seen();
    expect(state).toBe('submitted');
    expect(attempts).toHaveLength(1);
    expect(detail).toMatch(/failed, before the training began.*could not be pulled.*ImagePullBackOff/s);
  });

  test('learns that no machine was free when an execution stays in preparation, which is then stopped', async () => {
    const { work, seen } = await runOnLookAlike({ kind: 'stuck' });
    await work(930);
    const { attempts, code, detail } = await seen();
    expect(code).toBe('start-timeout');
    expect(detail).toContain('no machine is free, or the image is stuck');
    expect((await compute.get(attempts[0]?.execution ?? ''))?.state).toBe('stopped');
  });

  test('sees a job end in failure that Azure calls Running for ever', async () => {
    const { work, seen, report, world } = await runOnLookAlike({ kind: 'unreported-end' });
    await work();
    const [run] = world.all('runs');
    await report(run?.id ?? '', run?.token ?? '', { kind: 'started', sequence: 1, execution: run?.execution });
    await sleep(400);
    expect((await compute.get(run?.execution ?? ''))?.state).toBe('running');
    await work(200);
    expect(await seen()).toMatchObject({ code: 'silent' });
  });
});
