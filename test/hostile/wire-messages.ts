/** Messages as bytes: what no sender of ours writes, and a broker takes all the same. All of them are nobody's message. */
import { ServiceBusClient } from '@azure/service-bus';
import { queueNames } from '../../shared/resources.ts';

const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

const bodies: [name: string, body: Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['NULs', Buffer.alloc(100)],
  ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0xc0, 0xaf, 0xed, 0xa0, 0x80])],
  ['UTF-16', Buffer.from('{"id":"a"}', 'utf16le')],
  ['a byte order mark', Buffer.from('\ufeff{"id":"a"}')],
  ['half of JSON', Buffer.from('{"specversion":"1.0"')],
  ['a number', Buffer.from('1e999')],
  ['the word null', Buffer.from('null')],
  ['text in quotes', Buffer.from('"undefined"')],
  ['a list', Buffer.from('[{"specversion":"1.0"}]')],
  ['deep objects', Buffer.from(deep(30_000))],
  ['a field of deep objects', Buffer.from(`{"id":"x","data":${deep(30_000)}}`)],
  ['deep lists', Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
  ['200,000 characters', Buffer.from(JSON.stringify({ id: 'x'.repeat(200_000) }))],
  [
    '15,000 fields',
    Buffer.from(JSON.stringify(Object.fromEntries(Array.from({ length: 15_000 }, (_, i) => [`f${i}`, i])))),
  ],
  [
    'metadata of the broker',
    Buffer.from('{"deliveryCount":99,"MessageId":"x","enqueuedTimeUtc":{},"applicationProperties":null}'),
  ],
  ['a prototype', Buffer.from('{"__proto__":{"specversion":"1.0"},"constructor":1,"toString":null}')],
];

/** Sends all of them to every queue; returns how many each queue got. */
export async function sendNonsense(connectionString: string): Promise<number> {
  const bus = new ServiceBusClient(connectionString);
  try {
    for (const queue of queueNames) {
      const sender = bus.createSender(queue);
      for (const [name, body] of bodies)
        await sender.sendMessages({ body, contentType: 'application/json', messageId: `${queue} ${name}` });
      await sender.close();
    }
  } finally {
    await bus.close();
  }
  return bodies.length;
}
