/** The local broker and document store, through the real SDKs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import pMap from 'p-map';
import { startCosmos } from '../../local/cosmos/server.ts';
import { startServiceBus } from '../../local/service-bus/server.ts';
import { atLeast, type Bench, figure, median, spread } from './bench.ts';

/** Messages per second from the first send to the last completion. */
async function broker(folder: string, count: number): Promise<number> {
  const queues = { work: { lockSeconds: 60, maxDeliveryCount: 10 } };
  const bus = await startServiceBus({ port: 0, dataDir: folder, queues });
  const client = new ServiceBusClient(bus.connectionString);
  const sender = client.createSender('work');
  const receiver = client.createReceiver('work');
  let left = count;
  const startedAt = performance.now();
  const done = new Promise<void>((resolve, reject) => {
    receiver.subscribe(
      {
        processMessage: async (message) => {
          await receiver.completeMessage(message);
          if (--left === 0) resolve();
        },
        processError: async ({ error }) => reject(error),
      },
      { maxConcurrentCalls: 256, autoCompleteMessages: false },
    );
  });
  const sends = Array.from({ length: count / 100 }, (_, i) => i);
  const sent = pMap(
    sends,
    (i) =>
      sender.sendMessages(
        Array.from({ length: 100 }, (_, j) => ({ body: { number: i * 100 + j }, messageId: `${i}-${j}` })),
      ),
    { concurrency: 8 },
  );
  // waited for together: a receiver that fails while we send would otherwise end the process, and every other bench with it
  await Promise.all([sent, done]);
  const rate = count / ((performance.now() - startedAt) / 1000);
  await client.close();
  await bus.close();
  return rate;
}

/** Creates, point reads and replaces per second, 16 at a time. */
async function documents(folder: string, count: number): Promise<number> {
  const containers = { things: { partitionKey: '/pk' as const, ttlSeconds: null } };
  const service = await startCosmos({ port: 0, dataDir: folder, database: 'bench', containers });
  const connectionPolicy = { enableEndpointDiscovery: false };
  const client = new CosmosClient({ endpoint: service.endpoint, key: service.key, connectionPolicy });
  const container = client.database('bench').container('things');
  const startedAt = performance.now();
  await pMap(
    Array.from({ length: count }, (_, i) => i),
    async (i) => {
      const pk = `p${i % 7}`;
      await container.items.create({ id: `d${i}`, pk, text: 'x'.repeat(500) });
      const { resource, etag } = await container.item(`d${i}`, pk).read<{ id: string; pk: string }>();
      await container
        .item(`d${i}`, pk)
        .replace({ ...resource, id: `d${i}`, pk, more: i }, { accessCondition: { type: 'IfMatch', condition: etag } });
    },
    { concurrency: 16 },
  );
  const rate = (3 * count) / ((performance.now() - startedAt) / 1000);
  client.dispose();
  await service.close();
  return rate;
}

export const services: Bench = async ({ quick, say }) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-bench-'));
  try {
    const rates: number[] = [];
    for (let i = 0; i < 3; i++) rates.push(await broker(path.join(folder, `bus-${i}`), quick ? 5000 : 20_000));
    say(`broker ${spread(rates)} messages/s`);
    const operations = await documents(path.join(folder, 'cosmos'), quick ? 500 : 3000);
    return [
      atLeast('broker-messages-per-second', median(rates), 'messages/s', 3000),
      figure('document-operations-per-second', operations, 'operations/s'),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
