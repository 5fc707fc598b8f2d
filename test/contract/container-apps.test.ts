import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ContainerApps, startContainerApps } from '../../local/container-apps/server.ts';
import type { Compute } from '../../shared/ports.ts';
import { containerAppsCompute } from '../../shared/azure/container-apps.ts';

const version = 'api-version=2026-01-01';
const credential = { getToken: async () => ({ token: 'x', expiresOnTimestamp: Date.now() + 3_600_000 }) };
const job = {
  command: [process.execPath, '-e', 'console.log(process.env.DARKROOM_RUN, process.env.BUILT_IN)'],
  cwd: tmpdir(),
  env: { BUILT_IN: 'image' },
  memoryMb: 200,
  timeoutSeconds: 60,
  maxParallel: 2,
  stopGraceMs: 300,
};

let dataDir: string;
let service: ContainerApps;
let compute: Compute;
const open: ContainerApps[] = [];

async function serve(folder: string): Promise<ContainerApps> {
  const jobs = {
    trainer: job,
    short: { ...job, timeoutSeconds: 0.3 },
    single: { ...job, maxParallel: 1 },
    slow: { ...job, startDelayMs: 60_000 },
  };
  const started = await startContainerApps({ port: 0, dataDir: folder, jobs, accessToken: 'x' });
  open.push(started);
  return started;
}
const closeAll = () => Promise.all(open.splice(0).map((s) => s.close()));

const call = (path: string, method = 'GET', body?: unknown, from = service) =>
  fetch(`${from.endpoint}${path}${path.includes('?') ? '&' : '?'}${version}`, {
    method,
    headers: { authorization: 'Bearer x' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const shell = (script: string) => ({
  containers: [{ name: 'main', image: 'i', command: ['/bin/sh'], args: ['-c', script] }],
});
const startShell = async (script: string, name = 'trainer', from = service) => {
  const answer = await call(`${from.jobResourceId(name)}/start`, 'POST', shell(script), from);
  return (await answer.json()) as { id: string; name: string };
};
const statusOf = async (id: string, from = service) =>
  ((await (await call(id, 'GET', undefined, from)).json()) as { properties: { status: string } }).properties.status;
const until = async (id: string, wanted: string, from = service) => {
  let status = '';
  for (let i = 0; i < 100 && status !== wanted; i += 1) {
    status = await statusOf(id, from);
    if (status !== wanted) await sleep(50);
  }
  expect(status).toBe(wanted);
};
const logOf = (name: string) => readFile(join(dataDir, 'executions', name, 'log'), 'utf8');

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arm-'));
});
beforeEach(async () => {
  service = await serve(dataDir);
  compute = containerAppsCompute(service.endpoint, service.jobResourceId('trainer'), credential);
});
afterEach(closeAll);
afterAll(() => rm(dataDir, { recursive: true, force: true }));

describe('the compute adapter', () => {
  test('starts an execution, finds it by its environment, and sees it succeed', async () => {
    const { execution } = await compute.start({ DARKROOM_RUN: 'r1', DARKROOM_TOKEN: 't1' });
    expect((await compute.list()).find((e) => e.environment['DARKROOM_TOKEN'] === 't1')?.name).toBe(execution);
    await until(`${service.jobResourceId('trainer')}/executions/${execution}`, 'Succeeded');
    expect(await compute.get(execution)).toMatchObject({ state: 'succeeded', environment: { DARKROOM_RUN: 'r1' } });
    expect(await logOf(execution)).toBe('r1 image\n');
  });

  test('stops an execution', async () => {
    const { id, name } = await startShell('sleep 30');
    await until(id, 'Running');
    await compute.stop(name);
    await until(id, 'Stopped');
  });

  test('sends back of a job what a start takes, and nothing else that the job tells', async () => {
    const told = (await (await call(service.jobResourceId('trainer'))).json()) as {
      properties: { template: { containers: [object] } };
    };
    expect(Object.keys(told.properties.template.containers[0])).toEqual(
      expect.arrayContaining(['imageType', 'probes', 'volumeMounts']),
    );
    // sent back as it is told, it is refused
    const whole = await call(`${service.jobResourceId('trainer')}/start`, 'POST', told.properties.template);
    expect(whole.status).toBe(400);

    const { execution } = await compute.start({ DARKROOM_RUN: 'r2' });
    const id = `${service.jobResourceId('trainer')}/executions/${execution}`;
    const { properties } = (await (await call(id)).json()) as { properties: { template: unknown } };
    expect(properties.template).toEqual({
      containers: [
        {
          ...{ name: 'trainer', image: expect.any(String) as unknown, resources: { cpu: 1, memory: '2Gi' } },
          env: [{ name: 'DARKROOM_RUN', value: 'r2' }],
        },
      ],
    });
  });

  test('knows nothing of an execution that never was', async () => {
    expect(await compute.get('trainer-nothing')).toBeUndefined();
    await compute.stop('trainer-nothing');
  });
});

describe('the ARM surface', () => {
  test('start answers 202 with Location and names the execution', async () => {
    const answer = await call(`${service.jobResourceId('trainer')}/start`, 'POST', shell('exit 0'));
    expect(answer.status).toBe(202);
    const { name, id } = (await answer.json()) as { name: string; id: string };
    expect(name).toMatch(/^trainer-[a-z0-9]{7}$/);
    expect(id).toBe(`${service.jobResourceId('trainer')}/executions/${name}`);
    expect(answer.headers.get('location')).toContain(id);
  });

  test('an execution echoes the template it was started with, whole', async () => {
    const template = {
      containers: [
        {
          name: 'm',
          image: 'i',
          command: ['true'],
          env: [{ name: 'A', value: '1' }],
          resources: { cpu: 2, memory: '4Gi' },
        },
      ],
    };
    const started = (await (await call(`${service.jobResourceId('trainer')}/start`, 'POST', template)).json()) as {
      id: string;
    };
    const execution = (await (await call(started.id)).json()) as {
      type: string;
      properties: { template: unknown; startTime: string };
    };
    expect(execution.properties.template).toEqual(template);
    expect(Date.parse(execution.properties.startTime)).toBeGreaterThan(0);
  });

  test('errors have the form of ARM', async () => {
    const noToken = await fetch(`${service.endpoint}${service.jobResourceId('trainer')}?${version}`);
    expect([noToken.status, await noToken.json()]).toMatchObject([401, { error: { code: 'AuthenticationFailed' } }]);
    const noVersion = await fetch(`${service.endpoint}${service.jobResourceId('trainer')}`, {
      headers: { authorization: 'Bearer x' },
    });
    expect([noVersion.status, await noVersion.json()]).toMatchObject([
      400,
      { error: { code: 'MissingApiVersionParameter' } },
    ]);
    const noJob = await call(service.jobResourceId('toString'));
    expect([noJob.status, await noJob.json()]).toMatchObject([404, { error: { code: 'ResourceNotFound' } }]);
    const gpu = { containers: [{ name: 'm', image: 'i', resources: { gpu: 1 } }] };
    const noImage = { containers: [{ name: 'm' }] };
    const probes = { containers: [{ name: 'm', image: 'i', probes: [] }] };
    const volumes = { containers: [{ name: 'm', image: 'i' }], volumes: [] };
    for (const body of [gpu, noImage, probes, volumes, { containers: [] }]) {
      const refused = await call(`${service.jobResourceId('trainer')}/start`, 'POST', body);
      expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: 'InvalidRequestContent' } }]);
    }
  });
});

describe('an execution', () => {
  test('fails when its command exits with another code than 0, or cannot be found', async () => {
    await until((await startShell('exit 3')).id, 'Failed');
    const missing = { containers: [{ name: 'm', image: 'i', command: ['/no/such/command'] }] };
    const answer = (await (await call(`${service.jobResourceId('trainer')}/start`, 'POST', missing)).json()) as {
      id: string;
    };
    await until(answer.id, 'Failed');
  });

  test('gets the environment of its template and nothing of the service', async () => {
    process.env['SECRET_OF_SERVICE'] = 'hidden';
    const { id, name } = await startShell('env');
    await until(id, 'Succeeded');
    delete process.env['SECRET_OF_SERVICE'];
    const log = await logOf(name);
    expect(log).toContain(`CONTAINER_APP_JOB_EXECUTION_NAME=${name}`);
    expect(log).not.toContain('SECRET_OF_SERVICE');
  });

  test('fails when it takes longer than its job may, also when it ignores SIGTERM', async () => {
    const { id } = await startShell("trap '' TERM; sleep 20 & wait; sleep 20", 'short');
    await until(id, 'Failed');
  });

  test('fails when its processes use more memory than its job may', async () => {
    const hungry = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(20_000_000, 1)), 5)';
    const body = { containers: [{ name: 'm', image: 'i', command: [process.execPath, '-e', hungry] }] };
    const { id } = (await (await call(`${service.jobResourceId('trainer')}/start`, 'POST', body)).json()) as {
      id: string;
    };
    await until(id, 'Failed');
  });

  test('waits as Processing while its job runs as many as it may', async () => {
    const first = await startShell('sleep 30', 'single');
    const second = await startShell('exit 0', 'single');
    await until(first.id, 'Running');
    expect(await statusOf(second.id)).toBe('Processing');
    await call(`${first.id}/stop`, 'POST');
    await until(second.id, 'Succeeded');
  });

  test('is Stopped at once when it was not begun', async () => {
    const { id } = await startShell('exit 0', 'slow');
    await call(`${id}/stop`, 'POST');
    expect(await statusOf(id)).toBe('Stopped');
  });
});

describe('a new service on the same data', () => {
  test('finds what ended, and marks Failed what ran when the service was closed', async () => {
    const ended = await startShell('exit 0');
    const running = await startShell('sleep 30');
    await until(ended.id, 'Succeeded');
    await until(running.id, 'Running');
    await closeAll();
    service = await serve(dataDir);
    expect(await statusOf(ended.id)).toBe('Succeeded');
    expect(await statusOf(running.id)).toBe('Failed');
  });

  describe('after kill -9 of the former', () => {
    let folder: string;
    let child: ChildProcess;
    let former: ContainerApps;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'arm-'));
      const main = fileURLToPath(new URL('../../local/container-apps/server.ts', import.meta.url));
      child = spawn(process.execPath, [main, '--port', '0', '--data', folder, '--token', 'x', '--', 'true'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [address] = (await once(child.stdout as Readable, 'data')) as [Buffer];
      former = { ...service, endpoint: /http:\/\/[\d.:]+/.exec(address.toString())?.[0] ?? '' };
    });
    const kill = async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
    afterEach(async () => {
      child.kill('SIGKILL');
      await closeAll();
      await rm(folder, { recursive: true, force: true });
    });

    test('takes over an execution that still runs, and starts the one that waited', async () => {
      const outliving = await startShell('sleep 1; echo done', 'trainer', former);
      await until(outliving.id, 'Running', former);
      const waiting = await startShell('sleep 30', 'trainer', former);
      await kill();
      const next = await serve(folder);
      expect(await statusOf(outliving.id, next)).toBe('Running');
      await until(outliving.id, 'Succeeded', next);
      await until(waiting.id, 'Running', next);
    });

    test('knows how an execution ended in the meantime, and fails one that was killed', async () => {
      const ended = await startShell('sleep 0.3', 'trainer', former);
      await until(ended.id, 'Running', former);
      await kill();
      await sleep(500);
      const next = await serve(folder);
      expect(await statusOf(ended.id, next)).toBe('Succeeded');

      const killed = await startShell('echo $PPID; kill -9 $PPID; sleep 30', 'trainer', next);
      await until(killed.id, 'Failed', next);
    });
  });
});
