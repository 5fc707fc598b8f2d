/** Training jobs of Azure Machine Learning: the adapter on the look-alike, its wire, and what goes wrong in Azure. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { machineLearningIds, openMachineLearning } from '../../local/azure-ml/server.ts';
import { type ContainerApps, startContainerApps } from '../../local/container-apps/server.ts';
import type { Trouble } from '../../local/container-apps/trouble.ts';
import { toTrainingView } from '../../shared/api/views/training.ts';
import { machineLearningCompute } from '../../shared/azure/machine-learning.ts';
import type { Compute } from '../../shared/ports.ts';
import { cancelRun } from '../../shared/training/cancel.ts';
import { trainable } from '../shared/evaluation/trainable.ts';

const version = 'api-version=2025-12-01';
const credential = { getToken: async () => ({ token: 'x', expiresOnTimestamp: Date.now() + 3_600_000 }) };
const { workspaceId, computeId, environmentId } = machineLearningIds;
const command = 'echo "$DARKROOM_RUN $BUILT_IN $AZUREML_RUN_ID"; sleep "${SLEEP:-0}"; exit "${EXIT_CODE:-0}"';
const troubles: Trouble[] = [];
const machine = {
  cwd: tmpdir(),
  env: { BUILT_IN: 'image' },
  memoryMb: 200,
  timeoutSeconds: 60,
  maxParallel: 2,
  stopGraceMs: 300,
};

let dataDir: string;
let service: ContainerApps;
let close: () => Promise<void>;
let compute: Compute;

async function open(): Promise<void> {
  const workspace = openMachineLearning({ dataDir: join(dataDir, 'azure-ml'), machine, troubles });
  const others = { others: [workspace] };
  service = await startContainerApps({ port: 0, dataDir: join(dataDir, 'arm'), jobs: {}, accessToken: 'x', ...others });
  close = async () => {
    await service.close();
    await workspace.close();
  };
  const settings = { ...machineLearningIds, command };
  compute = machineLearningCompute(service.endpoint, settings, credential, 3000);
}
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'azure-ml-'));
  await open();
});
beforeEach(() => void troubles.splice(0));
afterAll(async () => {
  await close();
  await rm(dataDir, { recursive: true, force: true });
});

const call = async (path: string, method = 'GET', body?: unknown) => {
  const answer = await fetch(`${service.endpoint}${workspaceId}${path}${path.includes('?') ? '&' : '?'}${version}`, {
    method,
    headers: { authorization: 'Bearer x' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: (text === '' ? '' : JSON.parse(text)) as never };
};
let made = 0;
const variables = (more: Record<string, string> = {}) => {
  const n = ++made;
  return { DARKROOM_JOB_URL: 'http://localhost/job', DARKROOM_RUN: `r${n}`, DARKROOM_TOKEN: `t${n}`, ...more };
};
const stateOf = async (execution: string) => (await compute.get(execution))?.state;

describe('the adapter', () => {
  test('makes a command job of the cluster, the image and the line of the settings, under a name of its own', async () => {
    const environment = variables();
    const { execution, logsUrl } = await compute.start(environment);
    expect(execution).toMatch(/^darkroom-[0-9a-f]{32}$/);
    const { body } = await call(`/jobs/${execution}`);
    expect(body).toMatchObject({
      id: `${workspaceId}/jobs/${execution}`,
      type: 'Microsoft.MachineLearningServices/workspaces/jobs',
      properties: {
        ...{ jobType: 'Command', displayName: environment.DARKROOM_RUN, command, computeId, environmentId },
        environmentVariables: { ...environment, DARKROOM_EXECUTION: execution },
        limits: { jobLimitsType: 'Command', timeout: 'PT24H' },
      },
    });
    await expect.poll(() => stateOf(execution), { timeout: 10_000 }).toBe('succeeded');
    const log = await fetch(logsUrl ?? '');
    expect(await log.text()).toBe(`${environment.DARKROOM_RUN} image ${execution}\n`);
  });

  test('starts nothing twice, and finds what it started by run and token', async () => {
    const environment = variables({ SLEEP: '30' });
    const first = await compute.start(environment);
    expect(await compute.start(environment)).toEqual(first);
    const { DARKROOM_RUN, DARKROOM_TOKEN } = environment;
    const found = await compute.list({ DARKROOM_RUN, DARKROOM_TOKEN });
    expect(found).toMatchObject([{ name: first.execution, environment }]);
    expect(await compute.list({ DARKROOM_RUN, DARKROOM_TOKEN: 'another' })).toEqual([]);
    await compute.stop(first.execution);
  });

  test('knows the job whose repeated start the workspace refuses, since it would be another one', async () => {
    const { execution } = await compute.start({ ...variables(), DARKROOM_RUN: 'changed' });
    const again = { ...variables(), DARKROOM_RUN: 'changed', DARKROOM_TOKEN: `t${made - 1}` };
    // signed addresses differ each time that they are made
    expect(await compute.start({ ...again, DARKROOM_JOB_URL: 'http://localhost/other' })).toMatchObject({ execution });
  });

  test('cancels a job that runs, and takes one that has ended for cancelled enough', async () => {
    const { execution } = await compute.start(variables({ SLEEP: '30' }));
    await expect.poll(() => stateOf(execution), { timeout: 10_000 }).toBe('running');
    await compute.stop(execution);
    await expect.poll(() => stateOf(execution), { timeout: 10_000 }).toBe('stopped');
    await compute.stop(execution);
    await compute.stop('darkroom-never');
  });

  test('tells a failed job from one that succeeded', async () => {
    const { execution } = await compute.start(variables({ EXIT_CODE: '3' }));
    await expect.poll(() => stateOf(execution), { timeout: 10_000 }).toBe('failed');
  });
});

describe('the ARM surface', () => {
  const properties = { jobType: 'Command', command: 'true', computeId, environmentId };
  const jobIn = (answer: { body: never }) => answer.body as { properties: { status: string } };

  test('answers 201 to a new job, 200 to the same again, and refuses to make another one of it', async () => {
    expect((await call('/jobs/one', 'PUT', { properties })).status).toBe(201);
    expect((await call('/jobs/one', 'PUT', { properties })).status).toBe(200);
    const changed = { properties: { ...properties, command: 'false' } };
    expect(await call('/jobs/one', 'PUT', changed)).toMatchObject({
      status: 400,
      body: {
        error: { code: 'UserError', message: expect.stringContaining('A job with this name already exists') as string },
      },
    });
  });

  test('says no as ARM does', async () => {
    const refused = async (method: string, path: string, body?: unknown) => {
      const answer = await call(path, method, body);
      return [answer.status, (answer.body as { error: { code: string } }).error.code];
    };
    const put = (changed: object) => refused('PUT', '/jobs/no', { properties: { ...properties, ...changed } });
    expect(await put({ jobType: 'Sweep' })).toEqual([400, 'UserError']);
    expect(await put({ command: '' })).toEqual([400, 'UserError']);
    expect(await put({ unknownField: 1 })).toEqual([400, 'UserError']);
    expect(await put({ limits: { jobLimitsType: 'Command', timeout: '24h' } })).toEqual([400, 'UserError']);
    expect(await put({ computeId: `${workspaceId}/computes/none` })).toEqual([404, 'ResourceNotFound']);
    expect(await refused('PUT', '/jobs/no%20name', { properties })).toEqual([400, 'UserError']);
    expect(await refused('GET', '/jobs/no')).toEqual([404, 'NotFound']);
    expect(await refused('POST', '/jobs/no/cancel')).toEqual([404, 'NotFound']);
    expect(await refused('DELETE', '/jobs/no')).toEqual([405, 'MethodNotAllowed']);
    const noToken = await fetch(`${service.endpoint}${workspaceId}/jobs?${version}`);
    expect([noToken.status, await noToken.json()]).toMatchObject([401, { error: { code: 'AuthenticationFailed' } }]);
  });

  test('says how a job stands that is asked to end, and that one has ended', async () => {
    await call('/jobs/busy', 'PUT', { properties: { ...properties, command: 'sleep 30' } });
    const status = async () => jobIn(await call('/jobs/busy')).properties.status;
    await expect.poll(status, { timeout: 10_000 }).toBe('Running');
    expect((await call('/jobs/busy/cancel', 'POST')).status).toBe(202);
    expect(['CancelRequested', 'Canceled']).toContain(await status());
    await expect.poll(status, { timeout: 10_000 }).toBe('Canceled');
    expect(await call('/jobs/busy/cancel', 'POST')).toMatchObject({ status: 400 });
  });

  test('ends a job that takes longer than its limit', async () => {
    const limits = { jobLimitsType: 'Command', timeout: 'PT1S' };
    await call('/jobs/long', 'PUT', { properties: { ...properties, command: 'sleep 30', limits } });
    const status = async () => jobIn(await call('/jobs/long')).properties.status;
    await expect.poll(status, { timeout: 10_000 }).toBe('Failed');
  });

  test('lists its jobs newest first, in pages', async () => {
    for (let n = 0; n < 55; n++) await call(`/jobs/listed-${n}`, 'PUT', { properties });
    const first = (await call('/jobs')).body as { value: { name: string }[]; nextLink: string };
    expect(first.value).toHaveLength(50);
    expect(first.value[0]?.name).toBe('listed-54');
    const names = (await compute.list()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['listed-54', 'listed-0']));
    expect(new Set(names).size).toBe(names.length);
  });

  test('a new service finds what the former had', async () => {
    const { execution } = await compute.start(variables());
    await expect.poll(() => stateOf(execution), { timeout: 20_000 }).toBe('succeeded');
    await close();
    await open();
    expect(await stateOf(execution)).toBe('succeeded');
  });
});

describe('a start call', () => {
  const starting = async (trouble: Trouble) => {
    troubles.push(trouble);
    const environment = variables();
    return {
      begun: await compute.start(environment).catch((error: unknown) => error),
      jobs: await compute.list(environment),
    };
  };

  test('that is answered 503 although it took effect has its job, and no second one', async () => {
    const { begun, jobs } = await starting({ kind: 'answer-lost' });
    expect(jobs).toMatchObject([{ name: (begun as { execution: string }).execution }]);
  });

  test('that is accepted is followed to its end', async () => {
    const { begun, jobs } = await starting({ kind: 'slow', polls: 2 });
    expect(jobs).toMatchObject([{ name: (begun as { execution: string }).execution }]);
  });

  test('that is refused says what to do in this service', async () => {
    const refused = (status: number, code: string, message = 'no', retryAfterSeconds?: number) =>
      starting({ kind: 'refused', status, code, message, ...(retryAfterSeconds && { retryAfterSeconds }) });
    const { begun: unregistered, jobs } = await refused(409, 'MissingSubscriptionRegistration');
    expect(unregistered).toMatchObject({ name: 'TerminalError', code: 'provider-not-registered' });
    expect((unregistered as Error).message).toContain('--namespace Microsoft.MachineLearningServices --wait');
    expect(jobs).toEqual([]);
    const { begun: forbidden } = await refused(403, 'AuthorizationFailed');
    expect((forbidden as Error).message).toContain('AzureML Data Scientist on the workspace');
    const { begun: quota } = await refused(400, 'ClusterCoreQuotaReached', 'quota exceeded');
    expect(quota).toMatchObject({ name: 'RetryLater', code: 'compute-quota' });
    const { begun: busy } = await refused(429, 'TooManyRequests', 'slow down', 240);
    expect(busy).toMatchObject({ code: 'compute-throttled', afterSeconds: 240 });
  });

  test('that is accepted and lost leaves open whether it took effect', async () => {
    const { begun } = await starting({ kind: 'lost' });
    expect(begun).toMatchObject({ name: 'RetryLater', code: undefined });
  });
});

describe('a run of a project that trains there', () => {
  const settings = { trainer: { compute: 'azure-ml' as const } };

  test('has the page of its log, and nothing on Container Apps', async () => {
    const it = await trainable(settings);
    it.world.ports.otherComputes = { 'azure-ml': compute };
    const { run } = await it.ask();
    await it.work();
    const seen = toTrainingView(await it.run(run));
    expect(seen).toMatchObject({ state: 'submitted', trainer: { compute: 'azure-ml' } });
    expect(seen.logsUrl).toContain('/runs/darkroom-');
    expect((await it.world.ports.compute.list()).length).toBe(0);
  });

  test('is cancelled together with its job', async () => {
    const slow = machineLearningCompute(service.endpoint, { ...machineLearningIds, command: 'sleep 30' }, credential);
    const it = await trainable(settings);
    const { ports } = it.world;
    ports.otherComputes = { 'azure-ml': slow };
    const { run } = await it.ask({ id: 'cancelled' });
    await it.work();
    const { execution } = await it.run(run);
    await expect.poll(() => stateOf(execution ?? ''), { timeout: 10_000 }).toBe('running');
    await cancelRun(ports, 'digits', run, 'someone', { id: 'test' });
    await expect.poll(() => stateOf(execution ?? ''), { timeout: 10_000 }).toBe('stopped');
    expect(await it.run(run)).toMatchObject({ state: 'cancelled' });
  });

  test('waits for a machine for longer than one of Container Apps, and then begins again', async () => {
    troubles.push({ kind: 'stuck' });
    const it = await trainable(settings);
    it.world.ports.otherComputes = { 'azure-ml': compute };
    const { run } = await it.ask({ id: 'waits' });
    await it.work(1800);
    expect(await it.run(run)).toMatchObject({ state: 'submitted', attempt: 1 });
    await it.work(5500);
    const { attempts } = toTrainingView(await it.run(run));
    expect(attempts[0]?.failure).toMatch(/did not begin within 7200 s\. It waits for a machine/);
    expect(attempts[0]?.logsUrl).toContain('/runs/darkroom-');
    await expect.poll(() => stateOf(attempts[0]?.execution ?? '')).toBe('stopped');
  });

  test('is refused where the environment has no workspace, and so is a version', async () => {
    const it = await trainable(settings);
    await expect(it.ask()).rejects.toMatchObject({ name: 'TerminalError', code: 'compute-unavailable' });
  });

  test('fails with the reason when the workspace is gone before it began', async () => {
    const it = await trainable(settings);
    it.world.ports.otherComputes = { 'azure-ml': compute };
    const { run } = await it.ask();
    delete it.world.ports.otherComputes;
    await it.work(10);
    expect(await it.run(run)).toMatchObject({ state: 'failed', failure: { code: 'compute-unavailable' } });
  });
});
