/** The local services, each behind a proxy that lets things go wrong. */
import path from 'node:path';
import { ServiceBusClient, type ServiceBusReceiver } from '@azure/service-bus';
import { buildApp } from '../../local/build.ts';
import { createKey } from '../../local/first-key.ts';
import { type FunctionsHost, type FunctionsHostOptions, startFunctionsHost } from '../../local/functions-host/host.ts';
import { startPlatform } from '../../local/platform.ts';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import type { Message } from '../../shared/delivery/message.ts';
import type { Ports } from '../../shared/ports.ts';
import { queueNames } from '../../shared/resources.ts';
import { createRandom } from '../random.ts';
import { startAmqpProxy } from './amqp-proxy.ts';
import { createFaults, type Faults, type Rates } from './faults.ts';
import { startHttpProxy } from './http-proxy.ts';
import { anyPorts } from '../platform.ts';

const root = path.resolve(import.meta.dirname, '../..');
/** a message whose receiver was cut off is soon somebody else's */
const lockSeconds = 5;
const maxPeek = 1000;
/** a hundredth of what it is in Azure: an hour there is 36 s here */
export const redeliveryFirstSeconds = 0.02;

export const serviceNames = ['documents', 'blobs', 'messages', 'compute'] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface FaultyPlatform {
  faults: Record<ServiceName, Faults>;
  /** ports as handlers have them, with everything that can go wrong in between */
  ports: Ports;
  /** ports of somebody who looks on: nothing goes wrong */
  direct: Ports;
  dataDir: string;
  /** Starts functions hosts that work through the proxies, all functions in each. */
  startHost(): Promise<FunctionsHost>;
  /** an operator's key */
  createKey(): Promise<string>;
  /** messages that are in the queues and in their dead-letter queues, other than those that are scheduled */
  waiting(): Promise<{ queue: string; id: string }[]>;
  close(): Promise<void>;
}

const portOf = (address: string): number => Number(new URL(address).port);

const trainer = [process.execPath, path.join(root, 'trainers/embedded/main.ts')];

/** Starts services and proxies; the seed decides what goes wrong once `faults` are set. */
export async function startFaultyPlatform(
  dataDir: string,
  seed: number,
  jobCommand: string[] = trainer,
  onLog: FunctionsHostOptions['onLog'] = () => undefined,
): Promise<FaultyPlatform> {
  const random = createRandom(seed);
  const faults = Object.fromEntries(
    serviceNames.map((name) => [name, createFaults(createRandom(random.between(1, 1_000_000_000)))]),
  ) as Record<ServiceName, Faults>;
  const busy = createFaults(createRandom(seed));
  const platform = await startPlatform({
    dataDir,
    ports: anyPorts,
    appRoot: root,
    appEntry: '',
    jobCommand,
    lockSeconds,
    functionsOnly: [],
    // a proxy between client and broker cannot say no on the broker's behalf
    brokerBusy: () => busy.next() !== undefined,
    onLog: () => undefined,
  });
  const { addresses } = platform;
  const [documents, blobs, compute, messages] = await Promise.all([
    startHttpProxy(addresses.cosmos, faults.documents),
    startHttpProxy(new URL(addresses.blob).origin, faults.blobs),
    startHttpProxy(addresses.arm, faults.compute),
    startAmqpProxy(portOf(addresses.serviceBus), faults.messages),
  ]);
  faults.messages = splitThrottling(faults.messages, busy);
  const through = (setting: string | undefined, from: number, to: number): string =>
    (setting ?? '').replace(`:${from}`, `:${to}`);
  const { settings } = platform;
  const proxied: Record<string, string> = {
    ...settings,
    COSMOS__accountEndpoint: through(settings['COSMOS__accountEndpoint'], portOf(addresses.cosmos), documents.port),
    BLOB__serviceUri: through(settings['BLOB__serviceUri'], portOf(addresses.blob), blobs.port),
    COMPUTE__endpoint: through(settings['COMPUTE__endpoint'], portOf(addresses.arm), compute.port),
    SERVICEBUS: through(settings['SERVICEBUS'], portOf(addresses.serviceBus), messages.port),
    // what only the sweep heals is healed in seconds here; in Azure it comes every 15 minutes
    SWEEP_SCHEDULE: '*/10 * * * * *',
    REDELIVERY_FIRST_SECONDS: String(redeliveryFirstSeconds),
  };
  return {
    ...{ faults, dataDir },
    waiting: () => waiting(settings['SERVICEBUS'] ?? ''),
    ports: connect(readConfig(proxied)),
    direct: connect(readConfig(settings)),
    async startHost() {
      const { entry } = await buildApp();
      return startFunctionsHost({ appRoot: root, entry, port: 0, settings: proxied, onLog });
    },
    createKey: () => createKey(settings, 'faults'),
    async close() {
      await Promise.all([documents, blobs, compute, messages].map((proxy) => proxy.close()));
      await platform.close();
    },
  };
}

/** Looks into every queue; with a client of its own, since the SDK goes on where the same client looked last. */
async function waiting(connection: string): Promise<{ queue: string; id: string }[]> {
  const bus = new ServiceBusClient(connection);
  const look = async (queue: string, receiver: ServiceBusReceiver): Promise<{ queue: string; id: string }[]> => {
    const messages = await receiver.peekMessages(maxPeek);
    const active = messages.filter(({ state }) => state === 'active');
    return active.map(({ body }) => ({ queue, id: (body as Message).id }));
  };
  try {
    const found = queueNames.flatMap((queue) => [
      look(queue, bus.createReceiver(queue)),
      look(`${queue}/$deadletterqueue`, bus.createReceiver(queue, { subQueueType: 'deadLetter' })),
    ]);
    return (await Promise.all(found)).flat();
  } finally {
    await bus.close();
  }
}

/** Refusals of the broker are the broker's own, everything else is the network's. */
function splitThrottling(network: Faults, busy: Faults): Faults {
  return {
    ...network,
    get struck() {
      return new Map([...network.struck, ...busy.struck]);
    },
    set({ throttled = 0, unavailable = 0, ...rates }: Rates) {
      network.set(rates);
      busy.set({ throttled: throttled + unavailable });
    },
    strike(...kinds) {
      for (const kind of kinds) (kind === 'throttled' || kind === 'unavailable' ? busy : network).strike(kind);
    },
  };
}
