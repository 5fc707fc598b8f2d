import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import rhea from 'rhea';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalServiceBus, startServiceBus } from '../../local/service-bus/server.ts';
import { serviceBusMessages } from '../../shared/azure/messages.ts';
import { queueNames, queues } from '../../shared/resources.ts';

let folder: string;
let bus: LocalServiceBus;
const connect = () =>
  new ServiceBusClient(bus.connectionString, { retryOptions: { maxRetries: 0, timeoutInMs: 2000 } });

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'service-bus-connections-'));
  bus = await startServiceBus({ port: 0, dataDir: folder, queues });
});
afterAll(async () => {
  await bus.close();
  await rm(folder, { recursive: true });
});

test('a process that sends to every queue holds one connection, which test/infra/connections.test.ts counts', async () => {
  const client = connect();
  const messages = serviceBusMessages(client);
  for (const queue of queueNames) await messages.reach(queue);
  expect(bus.connections()).toBe(1);
  await client.close();
  await expect.poll(() => bus.connections()).toBe(0);
});

test('the 101st connection is refused, as by a namespace of the Basic tier, until another one ends', async () => {
  const container = rhea.create_container();
  // else rhea prints each
  container.on('disconnected', () => undefined);
  const open = () => container.connect({ host: '127.0.0.1', port: bus.port, username: 'anonymous', reconnect: false });
  const held = Array.from({ length: 100 }, open);
  await Promise.all(held.map((connection) => once(connection, 'connection_open')));
  expect(bus.connections()).toBe(100);

  const late = open();
  await once(late, 'connection_error');
  const refusal = late.error as { condition?: string; description?: string } | undefined;
  expect(refusal?.description).toContain('ConnectionsQuotaExceeded');

  for (const connection of held) connection.close();
  await Promise.all(held.map((connection) => once(connection, 'connection_close')));
  const next = connect();
  await next.createSender('deployments').sendMessages({ body: 'x' });
  await next.close();
});
