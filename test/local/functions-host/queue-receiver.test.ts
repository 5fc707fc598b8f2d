/** What the broker is told about messages that are settled in the same moment, and what becomes of those it refuses. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openQueueReceiver } from '../../../local/functions-host/queue-receiver.ts';
import { startServiceBus } from '../../../local/service-bus/server.ts';
import { fillDisk, makeRoom } from '../../torture/disk.ts';
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
    if ((message.deliveryCount ?? 0) > 0) return settler.completeMessage();
    const settle = verdicts[number] === 'done' ? settler.completeMessage : settler.abandonMessage;
    await new Promise<void>((resolve, reject) => {
      settling.push(() => settle().then(resolve, reject));
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

/** Messages that are held until the test settles them, of a broker whose process the test may disturb. */
async function hold(names: string[]) {
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
  const settlers = new Map<string, () => void>();
  const answers: [name: string, answer: string][] = [];
  const linkErrors: string[] = [];
  let held = true;
  const receiver = openQueueReceiver({
    connection: { connectionString },
    queueName: 'evaluations',
    maxConcurrentCalls: 16,
    maxAutoLockRenewalMs: 60_000,
    async handle(message, settler) {
      const name = String(message.messageId);
      handed.push(name);
      if (held) await new Promise<void>((resolve) => settlers.set(name, resolve));
      const answer = await settler.completeMessage().then(
        () => 'done',
        (error: Error) => error.message,
      );
      answers.push([name, answer]);
    },
    onError: ({ message }) => linkErrors.push(message),
  });
  onTestFinished(async () => {
    held = false;
    for (const settle of settlers.values()) settle();
    await receiver.close();
  });
  const client = new ServiceBusClient(connectionString);
  onTestFinished(() => client.close());
  await client.createSender('evaluations').sendMessages(names.map((messageId) => ({ messageId, body: '' })));
  await expect.poll(() => handed.toSorted(), { timeout: 10_000 }).toEqual(names);
  return { pid: bus.pid, handed, answers, linkErrors, settle: (name: string) => settlers.get(name)?.() };
}

// the disk is filled from outside with prlimit, which only Linux has
describe.skipIf(process.platform !== 'linux')('of messages that are settled at once', () => {
  test('each is refused by itself and handed out again at once, and the link goes on', async () => {
    const { pid, handed, answers, linkErrors, settle } = await hold(['first', 'second', 'slow']);
    fillDisk(pid);
    settle('first');
    settle('second');
    // their locks would last for a minute, and one message is still in work
    await expect
      .poll(() => handed.toSorted(), { timeout: 10_000 })
      .toEqual(['first', 'first', 'second', 'second', 'slow']);
    const refused = expect.stringContaining('The disk takes no more');
    const both = ['first', 'second'].map((name) => [name, refused]);
    await expect.poll(() => answers, { timeout: 5000 }).toEqual(both);
    expect(linkErrors).toEqual([]);
    makeRoom(pid);
    settle('slow');
    await expect.poll(() => answers.at(-1), { timeout: 10_000 }).toEqual(['slow', 'done']);
  });

  test('those behind one that the broker leaves without an answer are given up, and so is the link', async () => {
    const { pid, answers, linkErrors, settle } = await hold(['first', 'second']);
    process.kill(pid, 'SIGSTOP');
    onTestFinished(() => void process.kill(pid, 'SIGCONT'));
    settle('first');
    settle('second');
    await expect.poll(() => answers, { timeout: 20_000 }).toHaveLength(2);
    const [first, second] = answers;
    expect(first).toEqual(['first', expect.stringContaining('timed out')]);
    expect(second).toEqual(['second', expect.stringContaining('can no longer be settled')]);
    expect(linkErrors).toEqual([first?.[1]]);
  });
});
