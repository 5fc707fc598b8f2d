/** What the broker is told about messages that are settled in the same moment, and what becomes of those it refuses. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { expect, onTestFinished, test } from 'vitest';
import { openQueueReceiver } from '../../../local/functions-host/queue-receiver.ts';
import { startServiceBus } from '../../../local/service-bus/server.ts';
import { fillDisk } from '../../torture/disk.ts';
import { startPart } from '../../torture/process.ts';

type Handle = Parameters<typeof openQueueReceiver>[0]['handle'];

/** Sends a message per verdict, settles all of them in one moment, and tells which were handed out again. */
async function settleAtOnce(verdicts: ('done' | 'again')[]): Promise<number[]> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'queue-receiver-'));
  const bus = await startServiceBus({ port: 0, dataDir, queues: { jobs: { lockSeconds: 30, maxDeliveryCount: 3 } } });
  onTestFinished(async () => {
    await bus.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const handed: number[] = [];
  let settled = 0;
  const settling: (() => Promise<void>)[] = [];
  const handle: Handle = async (message, settler) => {
    const number = Number(message.messageId);
    handed.push(number);
    if ((message.deliveryCount ?? 0) > 0) return settler.completeMessage(message);
    const settle = verdicts[number] === 'done' ? settler.completeMessage : settler.abandonMessage;
    await new Promise<void>((resolve, reject) => {
      settling.push(() => settle(message).then(resolve, reject));
      if (settling.length === verdicts.length) for (const one of settling) void one();
    });
  };
  const counted: Handle = (...delivery) => handle(...delivery).finally(() => settled++);
  const receiver = openQueueReceiver({
    connection: { connectionString: bus.connectionString },
    queueName: 'jobs',
    maxConcurrentCalls: 16,
    maxAutoLockRenewalMs: 60_000,
    handle: counted,
    onError: () => undefined,
  });
  onTestFinished(() => receiver.close());
  const client = new ServiceBusClient(bus.connectionString);
  onTestFinished(() => client.close());
  await client
    .createSender('jobs')
    .sendMessages(verdicts.map((_, number) => ({ messageId: String(number), body: '' })));
  // a message on its way back is for a moment neither available nor locked, but not settled either
  const atRest = () => handed.length >= verdicts.length && settled === handed.length;
  await expect
    .poll(() => ({ ...bus.queueDepth('jobs'), atRest: atRest() }), { timeout: 10_000 })
    .toMatchObject({ active: 0, locked: 0, atRest: true });
  return handed.slice(verdicts.length).sort((a, b) => a - b);
}

test.each([
  [['done', 'again'] as const, [1]],
  [['again', 'done'] as const, [0]],
  [['done', 'again', 'done', 'again', 'again'] as const, [1, 3, 4]],
  [['done', 'done', 'done', 'again'] as const, [3]],
])('of messages settled at once as %j, those that failed come again, and no others', async (verdicts, again) => {
  expect(await settleAtOnce([...verdicts])).toEqual(again);
});

// the limit on file sizes is set from outside with prlimit, which only Linux has
test.skipIf(process.platform !== 'linux')('a refused settlement does not hold up those behind it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'queue-receiver-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const bus = await startPart({
    name: 'bus',
    args: ['local/service-bus/server.ts', '--port', '{port}', '--data', folder],
    cwd: path.resolve(import.meta.dirname, '../../..'),
    logFile: path.join(folder, 'bus.log'),
  });
  onTestFinished(() => bus.end('SIGTERM'));
  const connectionString = `Endpoint=sb://127.0.0.1:${bus.port};SharedAccessKeyName=local;SharedAccessKey=local;UseDevelopmentEmulator=true`;
  const handed: string[] = [];
  const finish = new Map<string, () => void>();
  const errors: string[] = [];
  let ended = false;
  const receiver = openQueueReceiver({
    connection: { connectionString },
    queueName: 'evaluations',
    maxConcurrentCalls: 16,
    maxAutoLockRenewalMs: 60_000,
    async handle(message, settler) {
      const name = String(message.messageId);
      handed.push(name);
      if (!ended) await new Promise<void>((resolve) => finish.set(name, resolve));
      const settle = name === 'refused' ? settler.completeMessage : settler.abandonMessage;
      await settle(message).catch(() => {});
    },
    onError: ({ message }) => errors.push(message),
  });
  onTestFinished(async () => {
    ended = true;
    for (const end of finish.values()) end();
    await receiver.close();
  });
  const client = new ServiceBusClient(connectionString);
  onTestFinished(() => client.close());
  const names = ['behind', 'refused', 'slow'];
  await client.createSender('evaluations').sendMessages(names.map((messageId) => ({ messageId, body: '' })));
  await expect.poll(() => handed.toSorted(), { timeout: 10_000 }).toEqual(names);
  fillDisk(bus.pid);
  finish.get('refused')?.();
  finish.get('behind')?.();
  // their locks would last for a minute, and one message is still in work
  await expect
    .poll(() => handed.toSorted(), { timeout: 10_000 })
    .toEqual(['behind', 'behind', 'refused', 'refused', 'slow']);
  expect(errors).toEqual([expect.stringContaining('disk')]);
});
