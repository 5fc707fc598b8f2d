/** The local Service Bus: queues as the Basic tier has them, durable, on loopback. */
import path from 'node:path';
import rhea from 'rhea';
import { queues as declaredQueues } from '../../shared/resources.ts';
import type { Keyless } from '../identity/keyless.ts';
import { listenAmqp } from './amqp.ts';
import { keyName } from './claims.ts';
import { parseMessage } from './message.ts';
import { deadLetterSuffix, Queue } from './queue.ts';
import { MessageStore } from './store.ts';
import { readArguments } from '../read-arguments.ts';

export interface ServiceBusOptions {
  port: number;
  host?: string;
  dataDir: string;
  queues: Record<string, { lockSeconds: number; maxDeliveryCount: number }>;
  /** instead of every queue's own lock duration */
  lockSeconds?: number;
  /** of the policy `local`; else `local` as well, as emulators have a key that everybody knows */
  key?: string;
  /** TLS and tokens instead of the key */
  keyless?: Keyless;
  /** whether the next send is refused as by a namespace that is throttled */
  busy?: () => boolean;
}

export interface OutgoingMessage {
  body: Buffer | string;
  messageId: string;
  contentType?: string;
  applicationProperties?: Record<string, string | number>;
}

export interface LocalServiceBus {
  port: number;
  connectionString: string;
  queueDepth(queue: string): Queue['depth'];
  /** open connections; a namespace of the Basic tier takes 100 */
  connections(): number;
  /** resolves when the message is on disk */
  enqueue(queue: string, message: OutgoingMessage): Promise<void>;
  /** harmless when it is closed already */
  close(): Promise<void>;
}

/** Starts the broker. A message it acknowledged survives the death of the process; locks do not (Azure keeps them). */
export async function startServiceBus(options: ServiceBusOptions): Promise<LocalServiceBus> {
  const store = new MessageStore(options.dataDir);
  const queues = new Map<string, Queue>();
  for (const [name, { lockSeconds, maxDeliveryCount }] of Object.entries(options.queues)) {
    const lockMs = (options.lockSeconds ?? lockSeconds) * 1000;
    const queue = new Queue(name.toLowerCase(), { lockMs, maxDeliveryCount }, store);
    queues.set(queue.name, queue);
    if (queue.deadLetters !== undefined) queues.set(queue.name + deadLetterSuffix, queue.deadLetters);
  }
  const find = (name: string): Queue | undefined => queues.get(name.toLowerCase());
  const known = (name: string): Queue => {
    const queue = find(name);
    if (queue === undefined) throw new Error(`there is no queue ${name}`);
    return queue;
  };
  const key = options.key ?? keyName;
  let closing: Promise<void> | undefined;
  const front = await listenAmqp(
    options.port,
    options.host ?? '127.0.0.1',
    find,
    options.keyless === undefined ? { key } : { keyless: options.keyless },
    options.busy ?? (() => false),
  );
  const close = async (): Promise<void> => {
    for (const queue of queues.values()) queue.close();
    await front.close();
    store.close();
  };
  return {
    port: front.port,
    connectionString: `Endpoint=sb://127.0.0.1:${front.port};SharedAccessKeyName=${keyName};SharedAccessKey=${key};UseDevelopmentEmulator=true`,
    queueDepth: (name) => known(name).depth,
    connections: () => front.connections(),
    async enqueue(name, { body, messageId, contentType, applicationProperties }) {
      const encoded = rhea.message.encode({
        message_id: messageId,
        ...(contentType === undefined ? {} : { content_type: contentType }),
        ...(applicationProperties === undefined ? {} : { application_properties: applicationProperties }),
        body: rhea.message.data_section(Buffer.from(body)),
      });
      await known(name).enqueue(parseMessage(encoded as Buffer));
    },
    close: () => (closing ??= close()),
  };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = readArguments('node local/service-bus/server.ts [--port 5672] [--data DIR] [--lock-seconds N]', {
    options: {
      port: { type: 'string', default: '5672' },
      data: { type: 'string', default: '.darkroom' },
      'lock-seconds': { type: 'string' },
    },
  });
  const lockSeconds = values['lock-seconds'];
  const bus = await startServiceBus({
    port: Number(values.port),
    dataDir: path.join(values.data, 'service-bus'),
    queues: declaredQueues,
    ...(lockSeconds === undefined ? {} : { lockSeconds: Number(lockSeconds) }),
  });
  console.log(`ready ${bus.port}`);
  const stop = (): void => void bus.close().then(() => process.exit(0));
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
