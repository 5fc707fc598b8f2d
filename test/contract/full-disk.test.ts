/** What the local stores say when their disk is full, and what is left of it afterwards. Each is a process of its own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BulkOperationType } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openOutbox } from '../../local/blob/outbox.ts';
import { startBlob } from '../../local/blob/server.ts';
import { emulatorKey } from '../../local/cosmos/authorization.ts';
import { containerAppsCompute } from '../../shared/azure/container-apps.ts';
import { isOutage } from '../../shared/azure/outage.ts';
import { fillDisk, makeRoom } from '../torture/disk.ts';
import { type Part, startPart } from '../torture/process.ts';
import { connect } from './cosmos-account.ts';

let folder: string;
const started: Part[] = [];
const start = async (name: string, args: string[]): Promise<Part> => {
  const cwd = path.resolve(import.meta.dirname, '../..');
  const part = await startPart({ name, args, cwd, logFile: path.join(folder, `${name}.log`) });
  started.push(part);
  return part;
};
const killAndRestart = async (part: Part): Promise<void> => {
  await part.end('SIGKILL');
  await part.restart();
};

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'darkroom-full-'));
});
afterEach(() => Promise.all(started.splice(0).map((part) => part.end('SIGTERM'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

// the limit on file sizes is set from outside with prlimit, which only Linux has
describe.skipIf(process.platform !== 'linux')('on a full disk', () => {
  test('documents are refused with 503 and not half kept, and taken again once there is room', async () => {
    const cosmos = await start('cosmos', ['local/cosmos/server.ts', '--port', '{port}', '--data', folder]);
    const open = () => connect(`http://127.0.0.1:${cosmos.port}`, emulatorKey).database('darkroom').container('runs');
    const runs = open();
    const kept = new Set<string>();
    const create = async (id: string): Promise<string> => {
      const made = await runs.items.create({ id, pk: 'p' }).catch((error: Error & { code: number }) => error);
      if (!(made instanceof Error)) kept.add(id);
      return made instanceof Error ? `${made.code} ${made.message}` : 'created';
    };
    expect(await create('before')).toBe('created');
    fillDisk(cosmos.pid);
    for (let n = 0; n < 5; n++) expect(await create(`full-${n}`)).toMatch(/^503 .*The disk takes no more/s);
    const batch = ['a', 'b'].map((id) => ({ operationType: BulkOperationType.Create, resourceBody: { id, pk: 'p' } }));
    await expect(runs.items.batch(batch, 'p')).rejects.toSatisfy(isOutage);
    expect((await runs.item('before', 'p').read()).statusCode).toBe(200);
    makeRoom(cosmos.pid);
    expect(await create('after')).toBe('created');
    await killAndRestart(cosmos);
    const { resources } = await open().items.query<string>('SELECT VALUE c.id FROM c').fetchAll();
    expect(new Set(resources)).toEqual(kept);
  });

  test('a message is refused as by a busy broker; what was under way is neither lost nor stuck', async () => {
    const bus = await start('bus', ['local/service-bus/server.ts', '--port', '{port}', '--data', folder]);
    const open = () =>
      new ServiceBusClient(
        `Endpoint=sb://127.0.0.1:${bus.port};SharedAccessKeyName=local;SharedAccessKey=local;UseDevelopmentEmulator=true`,
        { retryOptions: { maxRetries: 0 } },
      );
    const client = open();
    const sender = client.createSender('evaluations');
    const receiver = client.createReceiver('evaluations');
    const receive = async () => (await receiver.receiveMessages(1, { maxWaitTimeInMs: 5000 }))[0] ?? expect.fail();
    await sender.sendMessages(['one', 'two', 'three'].map((body) => ({ body })));
    await sender.scheduleMessages({ body: 'later' }, new Date(Date.now() + 1000));
    const [one, two, three] = [await receive(), await receive(), await receive()];
    fillDisk(bus.pid);
    await expect(sender.sendMessages({ body: 'refused' })).rejects.toMatchObject({ code: 'ServiceBusy' });
    await expect(receiver.completeMessage(one)).rejects.toMatchObject({ code: 'ServiceBusy' });
    await expect(receiver.deadLetterMessage(two)).rejects.toMatchObject({ code: 'ServiceBusy' });
    await receiver.abandonMessage(three);
    // neither was settled, so all are delivered again, without waiting for a lock to expire
    const again = [await receive(), await receive(), await receive()];
    expect(again.map((m) => m.body as string).sort()).toEqual(['one', 'three', 'two']);
    makeRoom(bus.pid);
    for (const message of again) await receiver.completeMessage(message);
    const later = await receive();
    expect(later.body).toBe('later');
    await receiver.completeMessage(later);
    await sender.sendMessages({ body: 'after' });
    await client.close();
    await killAndRestart(bus);
    const second = open();
    const left = await second.createReceiver('evaluations').receiveMessages(10, { maxWaitTimeInMs: 1500 });
    expect(left.map((m) => m.body as string)).toEqual(['after']);
    await second.close();
  });

  test('an upload is refused before it is stored, and the event of one that was stored comes when there is room', async () => {
    const tries: string[] = [];
    const delivered: string[] = [];
    const service = await startBlob({
      port: 0,
      dataDir: path.join(folder, 'blob'),
      eventsFor: { uploads: 'blob-created' },
      deliver: async (_queue, { subject }) => {
        const name = subject.split('/').at(-1) ?? '';
        tries.push(name);
        // the queue is away, and the disk is full when the event shall be kept
        if (name === 'stored' && tries.filter((one) => one === name).length === 1) {
          fillDisk(process.pid);
          throw new Error('the queue is away');
        }
        delivered.push(name);
      },
    });
    try {
      const uploads = BlobServiceClient.fromConnectionString(service.connectionString, {
        retryOptions: { maxTries: 1 },
      }).getContainerClient('uploads');
      await uploads.create();
      const put = (name: string) => uploads.getBlockBlobClient(name).upload(name, name.length);
      await put('before');
      const refusal = {
        statusCode: 503,
        code: 'ServerBusy',
        message: expect.stringContaining('The disk takes no more'),
      };
      await expect(put('stored')).rejects.toMatchObject(refusal);
      for (let n = 0; n < 3; n++) await expect(put('refused')).rejects.toMatchObject(refusal);
      expect(await uploads.getBlockBlobClient('stored').exists()).toBe(true);
      expect(await uploads.getBlockBlobClient('refused').exists()).toBe(false);
      await expect.poll(() => delivered, { timeout: 5000 }).toEqual(['before', 'stored']);
      makeRoom(process.pid);
      await put('after');
      expect(delivered).toEqual(['before', 'stored', 'after']);
    } finally {
      makeRoom(process.pid);
      await service.close();
    }
    const outbox = openOutbox(path.join(folder, 'blob', 'outbox.sqlite'));
    expect(outbox.left()).toEqual([]);
    outbox.close();
  });

  test('a job is refused with 503; one that ran has ended once there is room, and one that waited was tried once', async () => {
    const tries = path.join(folder, 'tries');
    const work = ['--token', 'local', '--', '/bin/sh', '-c', `echo $N >> ${tries}; sleep 1`];
    const arm = await start('arm', ['local/container-apps/server.ts', '--port', '{port}', '--data', folder, ...work]);
    const job =
      '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/darkroom-local/providers/Microsoft.App/jobs/trainer';
    const credential = { getToken: async () => ({ token: 'local', expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const compute = containerAppsCompute(`http://127.0.0.1:${arm.port}`, job, credential);
    await compute.start({ N: 'runs' });
    const states = async () => (await compute.list()).map(({ state, environment }) => `${environment['N']} ${state}`);
    await expect.poll(states).toEqual(['runs running']);
    await compute.start({ N: 'waits' });
    fillDisk(arm.pid);
    await expect(compute.start({ N: 'refused' })).rejects.toThrow('The disk takes no more');
    // its second is over, and its end found no room
    await sleep(3000);
    expect(await states()).toEqual(['waits pending', 'runs running']);
    makeRoom(arm.pid);
    await expect.poll(states, { timeout: 5000 }).toEqual(['waits failed', 'runs succeeded']);
    expect(
      (await readFile(tries, 'utf8'))
        .trim()
        .split('\n')
        .filter((line) => line === 'waits').length,
    ).toBeLessThan(2);
  });

  test('telemetry is refused with 503, and no torn line is left', async () => {
    const insights = await start('insights', ['local/insights/server.ts', '--port', '{port}', '--data', folder]);
    const track = async (name: string, filler = '') => {
      const body = JSON.stringify([{ name, time: '2026-11-01T00:00:00Z', data: { filler } }]);
      return (await fetch(`http://127.0.0.1:${insights.port}/v2.1/track`, { method: 'POST', body })).status;
    };
    expect(await track('before')).toBe(200);
    fillDisk(insights.pid);
    expect(await track('refused', 'x'.repeat(8000))).toBe(503);
    expect(await track('small')).toBe(200);
    makeRoom(insights.pid);
    expect(await track('after')).toBe(200);
    const lines = (await readFile(path.join(folder, 'telemetry.ndjson'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual(['before', 'small', 'after']);
  });
});
