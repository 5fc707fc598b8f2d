/** Messages on Service Bus queues. */
import type { ServiceBusClient, ServiceBusMessage, ServiceBusSender } from '@azure/service-bus';
import type { Message } from '../message.ts';
import type { Messages } from '../ports.ts';

/** At most this many in one send: references are under 2 KB each, a Basic-tier message holds 256 KB. */
const perSend = 100;

function toServiceBus(message: Message): ServiceBusMessage {
  return { body: message, messageId: message.id, contentType: 'application/cloudevents+json', subject: message.type };
}

/** Adapts a Service Bus namespace to the messages port; senders are kept open. */
export function serviceBusMessages(client: ServiceBusClient): Messages {
  const senders = new Map<string, ServiceBusSender>();
  return {
    async send(queue, messages, notBefore) {
      const sender = senders.get(queue) ?? client.createSender(queue);
      senders.set(queue, sender);
      for (let at = 0; at < messages.length; at += perSend) {
        const part = messages.slice(at, at + perSend).map(toServiceBus);
        await (notBefore === undefined ? sender.sendMessages(part) : sender.scheduleMessages(part, notBefore));
      }
    },
  };
}
