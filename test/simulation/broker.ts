/** Queues as Service Bus keeps them: peek-lock, delivery count, dead-letter queues, scheduled messages; Basic tier. */
import type { Message } from '../../shared/delivery/message.ts';
import type { Messages } from '../../shared/ports.ts';
import { type QueueName, queueNames, queues } from '../../shared/resources.ts';
import type { Faults } from './faults.ts';
import type { Scheduler } from './scheduler.ts';

/** A queue or the dead-letter queue of one. */
export type QueuePath = QueueName | `${QueueName}/$deadletterqueue`;

interface Waiting {
  id: number;
  body: unknown;
  deliveries: number;
  enqueuedAt: number;
  /** of the current delivery; 0: nobody has it */
  lock: number;
  reason: { code: string; detail: string } | undefined;
}

/** One delivery: whoever has it settles it, unless its lock was lost. */
export interface Delivery {
  queue: QueuePath;
  body: unknown;
  deliveries: number;
  enqueuedAt: number;
  reason: { code: string; detail: string } | undefined;
  lock: number;
}

export interface Broker {
  port: Messages;
  /** what Event Grid and tests do: no operation, no fault */
  enqueue(queue: QueueName, body: unknown): void;
  /** a message is ready: the receiver takes it or says that it is busy */
  onReady: (delivery: Delivery) => boolean;
  /** a receiver is free again: offers up to `most` messages of each queue, or of one, that nobody could take before */
  offer(most: number, only?: QueuePath): void;
  /** false: the lock was lost meanwhile */
  complete(delivery: Delivery): boolean;
  abandon(delivery: Delivery): void;
  /** the receiver died or lost its link: the message comes back when the lock runs out */
  lose(delivery: Delivery): void;
  /** messages in a queue, locked and scheduled ones too */
  depth(queue: QueuePath): number;
  bodies(): { queue: QueuePath; body: unknown }[];
  sent(): number;
}

const maxMessageBytes = 256 * 1024;
const redeliveryMs = 40;
/** a broker that is away delivers nothing; looked at again within this time */
const awayMs = 60_000;

/** Creates empty queues. */
export function createBroker(
  scheduler: Pick<Scheduler, 'perform' | 'after' | 'random' | 'now'>,
  faults: Faults,
  clock: () => number,
): Broker {
  const paths: QueuePath[] = [...queueNames, ...queueNames.map((queue) => `${queue}/$deadletterqueue` as const)];
  const kept = new Map<QueuePath, Map<number, Waiting>>(paths.map((path) => [path, new Map()]));
  const idle = new Map<QueuePath, number[]>(paths.map((path) => [path, []]));
  let ids = 0;
  let locks = 0;
  let sent = 0;
  const of = (path: QueuePath): Map<number, Waiting> => kept.get(path) as Map<number, Waiting>;

  const add = (path: QueuePath, body: unknown, dueInMs: number, reason?: Waiting['reason']): void => {
    const message = { id: ++ids, body, deliveries: 0, enqueuedAt: clock() + dueInMs, lock: 0, reason };
    of(path).set(message.id, message);
    scheduler.after(dueInMs + 1 + scheduler.random.next() * 20, () => ready(path, message.id));
  };
  const ready = (path: QueuePath, id: number): void => {
    const message = of(path).get(id);
    if (message === undefined || message.lock !== 0) return;
    if (faults.away('messages', scheduler.now()))
      return scheduler.after(awayMs * scheduler.random.next(), () => ready(path, id));
    const name = path.split('/')[0] as QueueName;
    const worn = message.deliveries >= queues[name].maxDeliveryCount || faults.strikes(faults.rates.deadLettered);
    if (!path.includes('/') && worn) {
      of(path).delete(id);
      const detail = `delivered ${queues[name].maxDeliveryCount} times`;
      return add(`${name}/$deadletterqueue`, message.body, 0, { code: 'MaxDeliveryCountExceeded', detail });
    }
    const { body, enqueuedAt, reason } = message;
    const lock = ++locks;
    message.lock = lock;
    message.deliveries++;
    const delivery: Delivery = { queue: path, body, deliveries: message.deliveries, enqueuedAt, reason, lock };
    if (broker.onReady(delivery)) return void held.set(lock, { path, id });
    message.lock = 0;
    message.deliveries--;
    idle.get(path)?.push(id);
  };
  const held = new Map<number, { path: QueuePath; id: number }>();
  const free = (delivery: Delivery, afterMs: number): void => {
    const at = held.get(delivery.lock);
    held.delete(delivery.lock);
    const message = at === undefined ? undefined : of(at.path).get(at.id);
    if (at === undefined || message === undefined || message.lock !== delivery.lock) return;
    scheduler.after(afterMs, () => {
      if (message.lock !== delivery.lock) return;
      message.lock = 0;
      ready(at.path, at.id);
    });
  };
  const port: Messages = {
    reach: () => Promise.resolve(),
    send: (queue, messages, notBefore) => {
      const bodies = messages.map((message: Message) => JSON.stringify(message));
      const large = bodies.find((body) => Buffer.byteLength(body) > maxMessageBytes);
      if (large !== undefined) return Promise.reject(new Error('a message has more than 256 KB'));
      const detail = messages.map(({ type, subject }) => `${type} ${subject}`).join(', ');
      return scheduler.perform(`send ${queue}`, detail, 'write', () => {
        const dueInMs = notBefore === undefined ? 0 : Math.max(0, notBefore.getTime() - clock());
        for (const body of bodies) {
          sent++;
          add(queue, JSON.parse(body), dueInMs);
          if (faults.strikes(faults.rates.duplicate / 4))
            add(queue, JSON.parse(body), dueInMs + scheduler.random.next() * 60_000);
        }
      });
    },
  };
  const broker: Broker = {
    port,
    enqueue: (queue, body) => add(queue, JSON.parse(JSON.stringify(body)), 0),
    onReady: () => false,
    offer(most, only) {
      for (const path of only === undefined ? paths : [only])
        for (const id of idle.get(path)?.splice(0, most) ?? [])
          scheduler.after(scheduler.random.next() * 5, () => ready(path, id));
    },
    complete(delivery) {
      const at = held.get(delivery.lock);
      const message = at === undefined ? undefined : of(at.path).get(at.id);
      held.delete(delivery.lock);
      if (at === undefined || message?.lock !== delivery.lock) return false;
      of(at.path).delete(at.id);
      return true;
    },
    abandon: (delivery) => free(delivery, 1 + scheduler.random.next() * redeliveryMs),
    lose: (delivery) =>
      free(delivery, queues[delivery.queue.split('/')[0] as QueueName].lockSeconds * 1000 * scheduler.random.next()),
    depth: (queue) => of(queue).size,
    bodies: () => paths.flatMap((queue) => [...of(queue).values()].map(({ body }) => ({ queue, body }))),
    sent: () => sent,
  };
  return broker;
}
