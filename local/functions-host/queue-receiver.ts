/** One link to one queue, with a connection of its own: received from until it fails or is closed, then thrown away. */
import { ManagedIdentityCredential } from '@azure/identity';
import { isServiceBusError, ServiceBusClient, type ServiceBusReceivedMessage } from '@azure/service-bus';
import { keepLocked } from './lock-renewal.ts';
import type { ServiceBusConnection } from './settings.ts';
import { waitAtMost } from './wait.ts';

/** how long the broker may take to answer one operation, and to close a link */
const operationTimeoutMs = 5000;

/** Tells the broker what became of a message. */
interface Settler {
  completeMessage: () => Promise<void>;
  abandonMessage: () => Promise<void>;
}

export interface QueueReceiver {
  /** receives no more; messages in work can still be settled */
  stop(): Promise<void>;
  /** stops, waits for the messages in work, closes the connection; never rejects */
  close(): Promise<void>;
}

/** Splits `queue` or `queue/$deadletterqueue` into what the SDK wants. */
function parseQueueName(name: string): { queue: string; subQueueType?: 'deadLetter' } {
  const match = /^(.+)\/\$deadletterqueue$/i.exec(name);
  return match?.[1] ? { queue: match[1], subQueueType: 'deadLetter' } : { queue: name };
}

const clientOptions = { retryOptions: { timeoutInMs: operationTimeoutMs, maxRetries: 1, retryDelayInMs: 500 } };

function connect(connection: ServiceBusConnection): ServiceBusClient {
  if ('connectionString' in connection) return new ServiceBusClient(connection.connectionString, clientOptions);
  const { fullyQualifiedNamespace, clientId } = connection;
  const identity = new ManagedIdentityCredential(clientId === undefined ? {} : { clientId });
  return new ServiceBusClient(fullyQualifiedNamespace, identity, clientOptions);
}

/** The SDK tells nobody, and mends the connection in its own way; the event is that of rhea, below it. */
function onDisconnect(client: ServiceBusClient, call: () => void): void {
  const { _connectionContext: context } = client as unknown as {
    _connectionContext: { connection: { once(event: 'disconnected', call: () => void): void } };
  };
  context.connection.once('disconnected', call);
}

const lockLost = (error: Error): boolean => isServiceBusError(error) && error.code === 'MessageLockLost';

/** Whether the broker has said no; it may also have said nothing. */
const isRefusal = (error: Error): boolean =>
  isServiceBusError(error) && error.code !== 'ServiceTimeout' && error.code !== 'ServiceCommunicationProblem';

/** Of an operation that was tried several times the SDK throws all errors; those after the first say that it was tried before. */
function firstError(thrown: unknown): Error {
  const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  return first instanceof Error ? first : new Error(String(first));
}

/**
 * Opens a receiver. `handle` settles its message and never rejects; `onError` may be called several times; after a link
 * error the receiver is of no more use (the others are locks that were lost before they were renewed). A connection that
 * breaks, a settlement without an answer and a lock that cannot be renewed are link errors too: the SDK mends a broken
 * connection without a word, and was then seen to take no more messages and to renew the locks of those that it could not
 * settle. A refusal is an answer: its message comes again, and the link goes on.
 * Messages are settled one after the other: of two neighbours that are settled in the same moment, one done and one
 * failed, rhea 3.0.5 tells the broker for both what became of the first (`write_dispositions` in lib/session.js does not
 * compare the second outcome), and the message that failed was gone. Where a settlement gets no answer, those behind it
 * are not tried: each might wait as long, and they come again.
 */
export function openQueueReceiver(options: {
  connection: ServiceBusConnection;
  queueName: string;
  maxConcurrentCalls: number;
  maxAutoLockRenewalMs: number;
  handle: (message: ServiceBusReceivedMessage, settler: Settler) => Promise<void>;
  onError: (error: Error, isLinkError: boolean) => void;
}): QueueReceiver {
  const { queue, subQueueType } = parseQueueName(options.queueName);
  const client = connect(options.connection);
  const receiver = client.createReceiver(queue, {
    receiveMode: 'peekLock',
    // locks are kept here: lock-renewal.ts says why
    maxAutoLockRenewalDurationInMs: 0,
    skipParsingBodyAsJson: true,
    ...(subQueueType && { subQueueType }),
  });
  const active = new Set<Promise<void>>();
  let broken = false;
  onDisconnect(client, () => {
    broken = true;
    options.onError(new Error('the connection to the broker broke'), true);
  });
  let last: Promise<void> = Promise.resolve();
  const settling = (settle: () => Promise<void>): Promise<void> => {
    const settled = last.then(async () => {
      if (broken) throw new Error('messages can no longer be settled here; this one comes again');
      try {
        await settle();
      } catch (thrown) {
        const error = firstError(thrown);
        if (!isRefusal(error)) {
          broken = true;
          options.onError(error, true);
        }
        throw error;
      }
    });
    last = settled.catch(() => undefined);
    return settled;
  };
  const subscription = receiver.subscribe(
    {
      async processMessage(message) {
        const letGo = keepLocked(receiver, message, options.maxAutoLockRenewalMs, (error) =>
          options.onError(error, !lockLost(error)),
        );
        const settle = (how: 'completeMessage' | 'abandonMessage') =>
          settling(() => {
            letGo();
            return receiver[how](message);
          });
        const handling = options.handle(message, {
          completeMessage: () => settle('completeMessage'),
          abandonMessage: () => settle('abandonMessage'),
        });
        active.add(handling);
        await handling;
        letGo();
        active.delete(handling);
      },
      processError(args) {
        options.onError(args.error, true);
        return Promise.resolve();
      },
    },
    { autoCompleteMessages: false, maxConcurrentCalls: options.maxConcurrentCalls },
  );
  const quietly = async (step: () => Promise<void>) => {
    await waitAtMost(step(), operationTimeoutMs).catch(() => {});
  };
  const stop = () => quietly(() => subscription.close());
  return {
    stop,
    async close() {
      await stop();
      await Promise.all(active);
      await quietly(() => receiver.close());
      await quietly(() => client.close());
    },
  };
}
