import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceBusClient, type ServiceBusReceiver } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalServiceBus, startServiceBus } from '../../local/service-bus/server.ts';

const lockSeconds = 1;
let folder: string;
let bus: LocalServiceBus;
let client: ServiceBusClient;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'service-bus-'));
  const names = [
    'plain',
    'abandon',
    'dead',
    'lock',
    'schedule',
    'peek',
    'batch',
    'delete',
    'expiry',
    'stream',
    'drain',
    'local',
  ];
  const queues = Object.fromEntries(names.map((name) => [name, { lockSeconds, maxDeliveryCount: 3 }]));
  bus = await startServiceBus({ port: 0, dataDir: folder, queues });
  client = new ServiceBusClient(bus.connectionString, { retryOptions: { maxRetries: 0, timeoutInMs: 8000 } });
});
afterAll(async () => {
  await client.close();
  await bus.close();
  await rm(folder, { recursive: true });
});

const once = async (receiver: ServiceBusReceiver) => {
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 6000 });
  if (message === undefined) throw new Error('no message came');
  return message;
};
const isEmpty = async (receiver: ServiceBusReceiver) =>
  (await receiver.receiveMessages(1, { maxWaitTimeInMs: 200 })).length === 0;
const noRenewal = { maxAutoLockRenewalDurationInMs: 0 };

describe('a queue of the local Service Bus', () => {
  test('hands a message over as it was sent and forgets it when completed', async () => {
    const sent = {
      body: { hello: 1, ü: 'é' },
      messageId: 'm1',
      contentType: 'application/json',
      subject: 's',
      correlationId: 'c',
      applicationProperties: { a: 1, b: true, s: 'x' },
    };
    await client.createSender('plain').sendMessages(sent);
    const receiver = client.createReceiver('plain');
    const message = await once(receiver);
    expect(message).toMatchObject({ ...sent, deliveryCount: 0 });
    await receiver.completeMessage(message);
    expect(await isEmpty(receiver)).toBe(true);
    expect(bus.queueDepth('plain')).toEqual({ active: 0, scheduled: 0, deadLettered: 0, locked: 0 });
  });

  test('counts deliveries and dead-letters a message that was abandoned too often', async () => {
    await client.createSender('abandon').sendMessages({ body: 'x', messageId: 'a1' });
    const receiver = client.createReceiver('abandon');
    for (let delivery = 0; delivery < 3; delivery++) {
      const message = await once(receiver);
      expect(message.deliveryCount).toBe(delivery);
      await receiver.abandonMessage(message, { tried: delivery });
    }
    expect(await isEmpty(receiver)).toBe(true);
    const dead = await once(client.createReceiver('abandon', { subQueueType: 'deadLetter' }));
    expect(dead).toMatchObject({
      body: 'x',
      messageId: 'a1',
      deadLetterReason: 'MaxDeliveryCountExceeded',
      deadLetterSource: 'abandon',
    });
    expect(dead.applicationProperties).toMatchObject({ tried: 2 });
  });

  test('dead-letters on request, with reason and description', async () => {
    await client.createSender('dead').sendMessages({ body: { k: 1 }, applicationProperties: { keep: 7 } });
    const receiver = client.createReceiver('dead');
    await receiver.deadLetterMessage(await once(receiver), {
      deadLetterReason: 'bad',
      deadLetterErrorDescription: 'why',
    });
    const dead = await once(client.createReceiver('dead', { subQueueType: 'deadLetter' }));
    expect(dead).toMatchObject({ deadLetterReason: 'bad', deadLetterErrorDescription: 'why' });
    expect(dead.applicationProperties).toMatchObject({ keep: 7 });
  });

  test('gives a message to somebody else when its lock expires, and refuses the late completion', async () => {
    await client.createSender('lock').sendMessages({ body: 'late' });
    const receiver = client.createReceiver('lock', noRenewal);
    const first = await once(receiver);
    const again = await once(receiver);
    expect(again.deliveryCount).toBe(1);
    await expect(receiver.completeMessage(first)).rejects.toMatchObject({ code: 'MessageLockLost' });
    await receiver.completeMessage(again);
  });

  test('keeps a lock that is renewed, by hand and by the SDK', async () => {
    await client.createSender('lock').sendMessages([{ body: 1 }, { body: 2 }]);
    const byHand = client.createReceiver('lock', noRenewal);
    const message = await once(byHand);
    const bySdk = client.createReceiver('lock');
    const other = await once(bySdk);
    await delay(700);
    await byHand.renewMessageLock(message);
    await delay(700);
    await byHand.completeMessage(message);
    await bySdk.completeMessage(other);
  });

  test('holds scheduled messages back until they are due, unless cancelled', async () => {
    const sender = client.createSender('schedule');
    const due = new Date(Date.now() + 2500);
    const [, cancelled] = await sender.scheduleMessages([{ body: 'kept' }, { body: 'cancelled' }], due);
    if (cancelled === undefined) throw new Error('no sequence number came back');
    await sender.cancelScheduledMessages(cancelled);
    const receiver = client.createReceiver('schedule');
    expect(await isEmpty(receiver)).toBe(true);
    const message = await once(receiver);
    expect(message.body).toBe('kept');
    expect(Date.now()).toBeGreaterThanOrEqual(due.getTime());
    await receiver.completeMessage(message);
    expect(await isEmpty(receiver)).toBe(true);
  });

  test('shows messages to a peek without locking them', async () => {
    await client.createSender('peek').sendMessages([{ body: 'p1' }, { body: 'p2' }]);
    const receiver = client.createReceiver('peek');
    expect((await receiver.peekMessages(10)).map((m) => m.body as string)).toEqual(['p1', 'p2']);
    expect(bus.queueDepth('peek').active).toBe(2);
  });

  test('takes batches in one transfer', async () => {
    const sender = client.createSender('batch');
    await sender.sendMessages(Array.from({ length: 100 }, (_, i) => ({ body: i })));
    const batch = await sender.createMessageBatch();
    while (batch.tryAddMessage({ body: 'x'.repeat(1000) }));
    await sender.sendMessages(batch);
    expect(bus.queueDepth('batch').active).toBe(100 + batch.count);
  });

  test('deletes on receipt when asked to', async () => {
    await client.createSender('delete').sendMessages([{ body: 1 }, { body: 2 }]);
    const receiver = client.createReceiver('delete', { receiveMode: 'receiveAndDelete' });
    expect(await receiver.receiveMessages(2, { maxWaitTimeInMs: 1000 })).toHaveLength(2);
    expect(bus.queueDepth('delete')).toMatchObject({ active: 0, locked: 0 });
  });

  test('forgets messages that outlived their time to live', async () => {
    await client.createSender('expiry').sendMessages({ body: 1, timeToLive: 100 });
    await delay(150);
    expect(await isEmpty(client.createReceiver('expiry'))).toBe(true);
  });

  test('streams to a subscriber, and delivers again what its handler threw on', async () => {
    await client
      .createSender('stream')
      .sendMessages(Array.from({ length: 40 }, (_, i) => ({ body: i, messageId: `s${i}` })));
    const seen = new Map<number, number>();
    const receiver = client.createReceiver('stream');
    receiver.subscribe(
      {
        processMessage: async ({ body }) => {
          const n = Number(body);
          seen.set(n, (seen.get(n) ?? 0) + 1);
          if (n === 7 && seen.get(n) === 1) throw new Error('once');
        },
        processError: () => Promise.resolve(),
      },
      { maxConcurrentCalls: 5 },
    );
    await expect.poll(() => [seen.size, seen.get(7)], { timeout: 5000 }).toEqual([40, 2]);
    await expect.poll(() => bus.queueDepth('stream')).toMatchObject({ active: 0, locked: 0 });
    await receiver.close();
  });

  test('names a queue that does not exist', async () => {
    await expect(client.createSender('nowhere').sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
  });

  test('takes messages from its own process, equal to those of an SDK', async () => {
    await bus.enqueue('local', { body: JSON.stringify({ a: 1 }), messageId: 'own', contentType: 'application/json' });
    const receiver = client.createReceiver('local');
    const message = await once(receiver);
    expect(message).toMatchObject({ messageId: 'own', contentType: 'application/json', body: { a: 1 } });
    await receiver.completeMessage(message);
  });
});

describe('the broker process', () => {
  const freePort = (): Promise<number> =>
    new Promise((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
      });
    });
  const start = (port: number, data: string): Promise<ChildProcess> =>
    new Promise((resolve, reject) => {
      const args = ['local/service-bus/server.ts', '--port', String(port), '--data', data];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout?.on('data', (text: Buffer) => text.toString().startsWith('ready') && resolve(child));
      child.on('error', reject);
    });
  const killed = (child: ChildProcess): Promise<void> =>
    new Promise((resolve) => {
      child.on('exit', () => resolve());
      child.kill('SIGKILL');
    });

  test('keeps every acknowledged message, completion and schedule through kill -9', async () => {
    const port = await freePort();
    const data = path.join(folder, 'killed');
    const connection = `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=local;SharedAccessKey=local;UseDevelopmentEmulator=true`;
    const first = await start(port, data);
    const before = new ServiceBusClient(connection);
    const sender = before.createSender('evaluations');
    for (let i = 0; i < 20; i++) await sender.sendMessages({ body: i, messageId: `k${i}` });
    await sender.scheduleMessages({ body: 'later' }, new Date(Date.now() + 3_600_000));
    const receiver = before.createReceiver('evaluations');
    const done = await receiver.receiveMessages(5, { maxWaitTimeInMs: 2000 });
    for (const message of done) await receiver.completeMessage(message);
    await killed(first);
    await before.close();

    const second = await start(port, data);
    const after = new ServiceBusClient(connection);
    const peeked = await after.createReceiver('evaluations').peekMessages(100);
    const expected = Array.from({ length: 20 }, (_, i) => `k${i}`).filter(
      (id) => !done.some((m) => m.messageId === id),
    );
    expect(peeked.filter((m) => m.state !== 'scheduled').map((m) => m.messageId)).toEqual(expected);
    expect(peeked.filter((m) => m.state === 'scheduled').map((m) => m.body as string)).toEqual(['later']);
    await after.close();
    await killed(second);
  });
});

test('closing twice is harmless', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'service-bus-'));
  const other = await startServiceBus({ port: 0, dataDir, queues: { plain: { lockSeconds, maxDeliveryCount: 3 } } });
  await Promise.all([other.close(), other.close()]);
  await other.close();
  await rm(dataDir, { recursive: true });
});
