/** Messages on Service Bus queues. */
import type { TokenCredential } from '@azure/core-auth';
import { RetryMode, ServiceBusClient, type ServiceBusMessage, type ServiceBusSender } from '@azure/service-bus';
import type { Config } from '../config.ts';
import type { Message } from '../delivery/message.ts';
import { shortened } from '../digest.ts';
import type { Messages } from '../ports.ts';

/** One transfer, and one schedule request, holds 256 KB (Basic and Standard tier) in at most this many messages. */
const perSend = 100;
const bytesPerSend = 256 * 1024;
/** what properties and encoding add to the body of a message, generously */
const overheadBytes = 1024;
/** Service Bus refuses longer ids; ids of events may be longer, and nobody looks messages up by it */
const maxMessageId = 128;
/** What this does not mend is an outage (see connect.ts). */
const patience = {
  // a send whose connection breaks is not told: it waits for its time to be over
  ...{ timeoutInMs: 5000, maxRetries: 3, mode: RetryMode.Exponential },
  ...{ retryDelayInMs: 500, maxRetryDelayInMs: 4000 },
};
/** one part of a send, its repetitions included */
const limitMs = 30_000;

function toServiceBus(message: Message): ServiceBusMessage {
  return {
    body: message,
    // a message that was put off is another one to the broker, and tells by its id which
    messageId: shortened(message.attempt === undefined ? message.id : `${message.id}-${message.attempt}`, maxMessageId),
    contentType: 'application/cloudevents+json',
    subject: message.type,
  };
}

/** Parts that fit into one send each; a message that fits into none is alone, for the broker to refuse. */
function partsOf(messages: Message[]): Message[][] {
  const parts: Message[][] = [];
  let room = 0;
  for (const message of messages) {
    const bytes = Buffer.byteLength(JSON.stringify(message)) + overheadBytes;
    const part = parts.at(-1);
    if (part === undefined || part.length === perSend || bytes > room) {
      parts.push([message]);
      room = bytesPerSend - bytes;
    } else {
      part.push(message);
      room -= bytes;
    }
  }
  return parts;
}

/** Connects to a Service Bus namespace: with a connection string where there is one, else as `identity`. */
export function connectMessages(config: Config['serviceBus'], identity: TokenCredential): Messages {
  const options = { retryOptions: patience };
  return serviceBusMessages(
    'connectionString' in config
      ? new ServiceBusClient(config.connectionString, options)
      : new ServiceBusClient(config.fullyQualifiedNamespace, identity, options),
  );
}

/** Adapts a Service Bus namespace to the messages port; senders are kept open. */
export function serviceBusMessages(client: ServiceBusClient): Messages {
  const senders = new Map<string, ServiceBusSender>();
  const senderTo = (queue: string): ServiceBusSender => {
    const sender = senders.get(queue) ?? client.createSender(queue);
    senders.set(queue, sender);
    return sender;
  };
  return {
    async reach(queue) {
      // the size of a batch is the broker's to say: the link has to be open, with claims that it takes
      await senderTo(queue).createMessageBatch();
    },
    async send(queue, messages, notBefore) {
      const sender = senderTo(queue);
      for (const part of partsOf(messages)) {
        const sent = part.map(toServiceBus);
        const limit = { abortSignal: AbortSignal.timeout(limitMs) };
        await (notBefore === undefined
          ? sender.sendMessages(sent, limit)
          : sender.scheduleMessages(sent, notBefore, limit));
      }
    },
  };
}
