import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServiceBusClient, type ServiceBusMessage } from '@azure/service-bus';
import { expect, onTestFinished, test } from 'vitest';
import { startServiceBus } from '../../../local/service-bus/server.ts';
import { runApp } from './app.ts';

const queueFunction = (handler: string, queueName = 'jobs', name = 'work') =>
  `app.serviceBusQueue('${name}', { connection: 'BUS', queueName: '${queueName}', handler: ${handler} });`;

async function broker(port = 0, lockSeconds = 30) {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'functions-host-bus-'));
  const bus = await startServiceBus({ port, dataDir, queues: { jobs: { lockSeconds, maxDeliveryCount: 3 } } });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= bus.close());
  onTestFinished(async () => {
    await close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const client = new ServiceBusClient(bus.connectionString, { retryOptions: { maxRetries: 0 } });
  onTestFinished(() => client.close());
  return {
    port: bus.port,
    close,
    settings: { BUS: bus.connectionString },
    send: (queue: string, ...messages: ServiceBusMessage[]) => client.createSender(queue).sendMessages(messages),
    /** how many messages can be seen in a queue, locked ones included */
    left: async (queue: string, subQueueType?: 'deadLetter') => {
      const receiver = client.createReceiver(queue, subQueueType ? { subQueueType } : {});
      const messages = await receiver.peekMessages(10);
      await receiver.close();
      return messages.length;
    },
  };
}

test('a message reaches the function as in Azure, and is completed', async () => {
  const bus = await broker();
  const host = await runApp(
    queueFunction('(message, context) => context.log(JSON.stringify({ message, metadata: context.triggerMetadata }))'),
    { settings: bus.settings },
  );
  await bus.send('jobs', {
    body: { id: 'x', deliveryCount: 5 },
    messageId: '1e3',
    applicationProperties: { EventType: 'a' },
  });
  const seen = JSON.parse((await host.logged('"message"')).message) as object;
  expect(seen).toMatchObject({
    message: { id: 'x', deliveryCount: 5 },
    metadata: { messageId: 1000, deliveryCount: 5, id: 'x', applicationProperties: { eventType: 'a' } },
  });
  await host.logged('Succeeded');
  await expect.poll(() => bus.left('jobs')).toBe(0);
});

test('a failing function sees its message again, with a higher delivery count, until it is dead-lettered', async () => {
  const bus = await broker();
  const host = await runApp(
    queueFunction(
      `(message, context) => { context.log('delivery', context.triggerMetadata.deliveryCount); throw new Error('no'); }`,
    ) + queueFunction(`(message, context) => context.log('dead', message)`, 'jobs/$DeadLetterQueue', 'dead'),
    { settings: bus.settings },
  );
  await bus.send('jobs', { body: 'a text', messageId: 'm' });
  await host.logged('dead a text');
  const deliveries = host.logs.filter((line) => line.message.startsWith('delivery')).map((line) => line.message);
  expect(deliveries).toEqual(['delivery 1', 'delivery 2', 'delivery 3']);
  await expect.poll(() => bus.left('jobs', 'deadLetter')).toBe(0);
});

test('throwing undefined completes the message, as in Azure', async () => {
  const bus = await broker();
  const host = await runApp(queueFunction('() => Promise.reject()'), { settings: bus.settings });
  await bus.send('jobs', { body: 'x' });
  await host.logged('Succeeded');
  await expect.poll(() => bus.left('jobs')).toBe(0);
});

test('kill -9 of the worker returns its messages, and the next worker gets them', async () => {
  const bus = await broker();
  const host = await runApp(
    queueFunction(`async (message, context) => {
      context.log('delivery', context.triggerMetadata.deliveryCount);
      if (context.triggerMetadata.deliveryCount === 1) await new Promise(() => {});
    }`),
    { settings: bus.settings },
  );
  await bus.send('jobs', { body: 'x', messageId: 'm' });
  await host.logged('delivery 1');
  process.kill(host.workerPid() ?? 0, 'SIGKILL');
  await host.logged('delivery 2');
  await host.logged('Succeeded');
  await expect.poll(() => bus.left('jobs')).toBe(0);
  expect(host.restarts()).toBe(1);
});

test('never more than maxConcurrentCalls messages are in work, and none is lost', async () => {
  const bus = await broker();
  const host = await runApp(
    `let running = 0, most = 0, done = 0;
     ${queueFunction(`async (message, context) => {
       most = Math.max(most, ++running);
       await new Promise((done) => setTimeout(done, 20));
       running--;
       if (++done === 20) context.log('most', most);
     }`)}`,
    { settings: bus.settings },
    { extensions: { serviceBus: { maxConcurrentCalls: 4 } } },
  );
  await bus.send('jobs', ...Array.from({ length: 20 }, (_, id) => ({ body: { id } })));
  expect((await host.logged('most')).message).toBe('most 4');
  await expect.poll(() => bus.left('jobs')).toBe(0);
});

test('a queue that is not there is logged and tried again; other functions work on', async () => {
  const bus = await broker();
  const host = await runApp(
    queueFunction('() => {}', '%MISSING%', 'lost') + queueFunction("(message, context) => context.log('got', message)"),
    { settings: { ...bus.settings, MISSING: 'nowhere' } },
  );
  expect((await host.logged("receiving from 'nowhere'")).functionName).toBe('lost');
  await bus.send('jobs', { body: 'one' });
  await host.logged('got one');
});

test('a broker that is away when the host starts is found when it comes', async () => {
  const away = await broker();
  await away.close();
  const host = await runApp(queueFunction("(message, context) => context.log('got', message)"), {
    settings: away.settings,
  });
  await host.logged("receiving from 'jobs'");
  const back = await broker(away.port);
  await back.send('jobs', { body: 'one' });
  await host.logged('got one');
});

test('the lock of a message is renewed while its function runs', async () => {
  const bus = await broker(0, 1);
  const host = await runApp(
    queueFunction(`async (message, context) => {
      context.log('delivery', context.triggerMetadata.deliveryCount);
      await new Promise((done) => setTimeout(done, 1600));
    }`),
    { settings: bus.settings },
  );
  await bus.send('jobs', { body: 'x' });
  await host.logged('Succeeded');
  await expect.poll(() => bus.left('jobs')).toBe(0);
  expect(host.logs.map((line) => line.message)).not.toContain('delivery 2');
});

test('messages of one id, which a repeated send makes, are done without a word about their locks', async () => {
  const bus = await broker(0, 2);
  const host = await runApp(
    queueFunction(`async (message, context) => {
      await new Promise((done) => setTimeout(done, message.takes));
      context.log('done', message.takes);
    }`),
    { settings: bus.settings },
  );
  await bus.send('jobs', ...[300, 310, 320].map((takes) => ({ body: { takes }, messageId: 'same' })));
  // works for longer than the locks of the others would have lasted
  await bus.send('jobs', { body: { takes: 2500 }, messageId: 'other' });
  await host.logged('done 2500');
  await expect.poll(() => bus.left('jobs')).toBe(0);
  expect(host.logs.filter((line) => line.level !== 'information')).toEqual([]);
});

test('a lock that is lost while its function runs is a warning, since the message comes again', async () => {
  const bus = await broker(0, 1);
  const host = await runApp(
    queueFunction(`async (message, context) => {
      context.log('delivery', context.triggerMetadata.deliveryCount);
      if (context.triggerMetadata.deliveryCount === 1) await new Promise((done) => setTimeout(done, 1500));
    }`),
    { settings: bus.settings },
  );
  await bus.send('jobs', { body: 'x' });
  await host.logged('delivery 1');
  // broker and receiver share this thread: while it stands still the lock expires, and the renewal comes too late
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1300);
  await host.logged('delivery 2');
  await expect.poll(() => bus.left('jobs')).toBe(0);
  const troubles = host.logs.filter((line) => line.level !== 'information');
  expect(troubles.map((line) => line.level)).toEqual(troubles.map(() => 'warning'));
  expect(troubles.some((line) => line.message.startsWith("renewing a lock of 'jobs': "))).toBe(true);
});

test('close lets a running function finish and complete its message, and takes no other', async () => {
  const bus = await broker();
  const host = await runApp(
    queueFunction(`async (message, context) => {
      context.log('started', message); await new Promise((done) => setTimeout(done, 300)); context.log('ended', message); }`),
    { settings: bus.settings },
    { extensions: { serviceBus: { maxConcurrentCalls: 1 } } },
  );
  await bus.send('jobs', { body: 'a' }, { body: 'b' });
  await host.logged('started a');
  await host.close();
  expect(host.logs.map((line) => line.message)).toContain('ended a');
  expect(host.logs.map((line) => line.message)).not.toContain('started b');
  expect(await bus.left('jobs')).toBe(1);
});

test('a function that outlasts the drain time is cut off, and its message returns to the queue', async () => {
  const bus = await broker();
  const source = queueFunction(`async (message, context) => {
    context.log('delivery', context.triggerMetadata.deliveryCount);
    if (context.triggerMetadata.deliveryCount === 1) await new Promise(() => {});
  }`);
  const first = await runApp(source, { settings: bus.settings, drainTimeoutMs: 100 });
  await bus.send('jobs', { body: 'x' });
  await first.logged('delivery 1');
  await first.close();
  const second = await runApp(source, { settings: bus.settings });
  await second.logged('delivery 2');
});
