/**
 * The local blob service: Azurite behind a front door that sends BlobCreated events as Event Grid does.
 * Alone: `node local/blob/server.ts --port 10000 --data DIR --servicebus CONNECTIONSTRING`.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { blobContainers } from '../../shared/resources.ts';
import { type Keyless, scheme } from '../identity/keyless.ts';
import { listen, loopback } from '../listen.ts';
import { startAzurite } from './azurite.ts';
import { account, type BlobCreated } from './event.ts';
import { frontDoor } from './front-door.ts';
import { openOutbox } from './outbox.ts';
import { connectUpstream } from './upstream.ts';
import { readArguments } from '../read-arguments.ts';

const closeLimitMs = 5_000;

export interface BlobOptions {
  /** 0 picks any free port */
  port: number;
  host?: string;
  /** folder of Azurite's data and of the outbox */
  dataDir: string;
  /** Resolves once the queue has the event. May be called again with an event it already took. */
  deliver: (queue: string, event: BlobCreated) => Promise<void>;
  /** queue per container; containers that are missing or null send no events */
  eventsFor: Record<string, string | null>;
  /** an Azurite that already runs, e.g. `http://127.0.0.1:10000`, used instead of a child process */
  azuriteAddress?: string;
  /** of the account, base64; else the published one of every emulator */
  key?: string;
  /** TLS and tokens instead of the key */
  keyless?: Keyless;
}

export interface BlobService {
  port: number;
  /** with the account in the path, as emulators have it */
  endpoint: string;
  accountName: string;
  accountKey: string;
  connectionString: string;
  /** events delivered since the start */
  deliveredCount(): number;
  /** Waits for requests under way, then stops Azurite with SIGTERM. */
  close(): Promise<void>;
}

/**
 * Starts the blob service. Nothing acknowledged loses its event: a write is answered after `deliver` resolved or, when
 * it fails or takes more than 10 s, after the event is on disk, from where it is delivered later, also after a restart.
 * Throws when the port is taken or Azurite does not start.
 */
export async function startBlob(options: BlobOptions): Promise<BlobService> {
  const host = options.host ?? loopback;
  const key = options.key ?? account.key;
  await mkdir(options.dataDir, { recursive: true });
  const azurite =
    options.azuriteAddress === undefined
      ? await startAzurite(join(options.dataDir, 'azurite'), { host, key, tls: options.keyless?.tls })
      : { address: options.azuriteAddress, stop: async () => undefined };
  const outbox = openOutbox(join(options.dataDir, 'outbox.sqlite'));
  const upstream = connectUpstream(azurite.address, key, options.keyless?.tls.cert);
  let endpoint = '';
  const door = frontDoor({
    upstream,
    outbox,
    eventsFor: options.eventsFor,
    deliver: options.deliver,
    endpoint: () => endpoint,
    keyless: options.keyless,
  });
  const release = async () => {
    upstream.close();
    await azurite.stop();
    outbox.close();
  };
  try {
    const port = await listen(door.server, {
      port: options.port,
      host,
      purpose: 'blob storage',
      setting: 'ports.blob (--port)',
    });
    endpoint = `${scheme(options.keyless)}://${host}:${port}/${account.name}`;
    door.resume();
    return {
      port,
      endpoint,
      accountName: account.name,
      accountKey: key,
      connectionString: `DefaultEndpointsProtocol=http;AccountName=${account.name};AccountKey=${key};BlobEndpoint=${endpoint};`,
      deliveredCount: () => door.deliveredCount(),
      async close() {
        await door.close(closeLimitMs);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function main(): Promise<void> {
  const { values } = readArguments(
    'node local/blob/server.ts --servicebus CONNECTIONSTRING [--port 10000] [--data DIR]',
    {
      options: {
        port: { type: 'string', default: '10000' },
        data: { type: 'string', default: '.darkroom/blob' },
        servicebus: { type: 'string' },
      },
    },
  );
  if (values.servicebus === undefined) throw new Error('--servicebus CONNECTIONSTRING is missing: where do events go?');
  const client = new ServiceBusClient(values.servicebus);
  const senders = new Map<string, ReturnType<typeof client.createSender>>();
  const sender = (queue: string) => {
    const known = senders.get(queue) ?? client.createSender(queue);
    senders.set(queue, known);
    return known;
  };
  const service = await startBlob({
    port: Number(values.port),
    dataDir: values.data,
    deliver: (queue, event) =>
      sender(queue).sendMessages({ body: event, messageId: event.id, contentType: 'application/cloudevents+json' }),
    eventsFor: Object.fromEntries(Object.entries(blobContainers).map(([name, { events }]) => [name, events])),
  });
  console.log(`ready ${service.port}\nBlob service: ${service.connectionString}`);
  const stop = () => void service.close().then(() => client.close());
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

if (import.meta.main) await main();
