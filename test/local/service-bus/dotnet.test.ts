/** What the .NET SDK says on the wire and the JavaScript SDK never does: it was seen there against this broker. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import rhea, { type Connection, type EventContext } from 'rhea';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codec } from '../../../local/service-bus/rhea-types.ts';
import { putClaim } from '../../fixtures/claim.ts';
import { type LocalServiceBus, startServiceBus } from '../../../local/service-bus/server.ts';

let folder: string;
let bus: LocalServiceBus;
let connection: Connection;

/** SASL as .NET asks for it; nothing is proven by it, the claims follow on the connection. */
const mechanism = () => ({ start: (send: (error: undefined, response: string) => void) => send(undefined, '') });

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'service-bus-'));
  bus = await startServiceBus({ port: 0, dataDir: folder, queues: { work: { lockSeconds: 5, maxDeliveryCount: 3 } } });
  const options = { host: '127.0.0.1', port: bus.port, reconnect: false, sasl_mechanisms: { MSSBCBS: mechanism } };
  connection = rhea.create_container().connect(options as never);
  await new Promise((resolve, reject) => {
    connection.once('connection_open', resolve);
    connection.once('disconnected', ({ error }: EventContext) => reject(error ?? new Error('disconnected')));
  });
  await putClaim(connection);
});
afterAll(async () => {
  connection.close();
  await bus.close();
  await rm(folder, { recursive: true });
});

const header = (context: EventContext): number => context.message?.delivery_count ?? 0;

/** Receives messages of `/work` and answers each delivery as told; resolves with the delivery counts that were seen. */
function receive(answers: ((context: EventContext) => void)[]): Promise<number[]> {
  const seen: number[] = [];
  const receiver = connection.open_receiver({ source: '/work', autoaccept: false, credit_window: 1 });
  return new Promise((resolve) => {
    receiver.on('message', (context: EventContext) => {
      const answer = answers[seen.length];
      seen.push(header(context));
      answer?.(context);
      if (seen.length < answers.length) return;
      receiver.once('receiver_close', () => resolve(seen));
      receiver.close();
    });
  });
}

test('a queue is found by its path, and a message that was released was not delivered', async () => {
  await bus.enqueue('work', { body: '{}', messageId: 'released' });
  const counts = await receive([
    ...Array.from({ length: 4 }, () => (context: EventContext) => context.delivery?.release()),
    ({ delivery }) => delivery?.accept(),
  ]);
  expect(counts).toEqual([0, 0, 0, 0, 0]);
});

test('a message that is given back without any change comes again, and the broker lives on', async () => {
  await bus.enqueue('work', { body: '{}', messageId: 'modified' });
  const modified = codec.modified({ delivery_failed: true, message_annotations: null }).described();
  const counts = await receive([
    ({ delivery }) => delivery?.update(true, modified),
    ({ delivery }) => delivery?.accept(),
  ]);
  expect(counts).toEqual([0, 1]);
});

test('a link to a queue that is not there gets no target, and then the reason', async () => {
  const sender = connection.open_sender('/nowhere');
  const { remote } = sender as unknown as { remote: { attach: { target: { value: unknown } } } };
  const opened = new Promise<unknown>((resolve) =>
    sender.once('sender_open', () => resolve(remote.attach.target.value)),
  );
  const failed = new Promise<unknown>((resolve) => sender.once('sender_error', () => resolve(sender.error)));
  expect(await opened).toBeNull();
  expect(await failed).toMatchObject({ condition: 'amqp:not-found' });
});
