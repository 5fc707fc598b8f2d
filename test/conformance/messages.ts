/** What handlers rely on of messages: locks, redelivery, dead letters, schedules, limits. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Message } from '../../shared/delivery/message.ts';
import type { Messages } from '../../shared/ports.ts';
import type { Open, QueuePath, Received, Subject } from './subject.ts';

const queue = 'deployments';
const deadLetters = `${queue}/$deadletterqueue` as const;
const shortMs = 400;
const longMs = 10_000;
/** the locks of an account last a minute, and each message of many takes a while to get there */
const slow = { timeout: 180_000 };

/** Registers the tests of the messages port. The queue `deployments` has to be nobody else's. */
export function messagesConform(open: Open): void {
  let subject: Subject;
  let messages: Messages;
  let made = 0;
  beforeAll(async () => {
    subject = await open();
    ({ messages } = subject);
  });
  beforeEach(async () => {
    for (const path of [queue, deadLetters] as const)
      for (let left; (left = await subject.receive(path, 100)) !== undefined;) await left.complete();
  });
  const fresh = (padding = 0): Message => ({
    ...{ specversion: '1.0', id: `m-${subject.unique}-${++made}`, source: '/darkroom', type: 'darkroom.canary.check' },
    ...{ subject: 'alpha ü', data: { project: 'alpha', deployment: 'x'.repeat(padding) } },
  });
  const next = async (path: QueuePath = queue, waitMs = longMs): Promise<Received> => {
    const received = await subject.receive(path, waitMs);
    if (received === undefined) throw new Error(`nothing came from ${path}`);
    return received;
  };
  const lockMs = (): number => subject.lockSeconds * 1000;

  describe('a message', () => {
    test('arrives as it was sent, and is gone when it is completed', async () => {
      const sent = fresh();
      await messages.send(queue, [sent]);
      const received = await next();
      expect(received).toMatchObject({ body: sent, deliveries: 1, reason: undefined });
      expect(await received.complete()).toBe('completed');
      expect(await subject.receive(queue, shortMs)).toBeUndefined();
    });

    test('is with one receiver at a time', async () => {
      await messages.send(queue, [fresh()]);
      const received = await next();
      expect(await subject.receive(queue, shortMs)).toBeUndefined();
      await received.complete();
    });

    test('that is sent twice arrives twice: nobody looks at its id', async () => {
      const sent = fresh();
      await messages.send(queue, [sent]);
      await messages.send(queue, [sent]);
      for (let i = 0; i < 2; i++) {
        const received = await next();
        expect(received.body).toEqual(sent);
        await received.complete();
      }
    });

    test('comes again when it is abandoned, and counts its deliveries', async () => {
      await messages.send(queue, [fresh()]);
      for (let delivery = 1; delivery <= 3; delivery++) {
        const received = await next();
        expect(received.deliveries).toBe(delivery);
        if (delivery < 3) await received.abandon();
        else await received.complete();
      }
    });

    test('comes again when whoever had it died, and the late completion changes nothing', slow, async () => {
      await messages.send(queue, [fresh()]);
      const first = await next();
      first.die();
      const second = await next(queue, lockMs() + longMs);
      expect(second.deliveries).toBe(2);
      expect(await first.complete()).toBe('lost');
      expect(await second.complete()).toBe('completed');
      expect(await subject.receive(queue, shortMs)).toBeUndefined();
    });

    test('is a dead letter when it was delivered too often, with the reason and all it said', async () => {
      const sent = fresh();
      await messages.send(queue, [sent]);
      for (let delivery = 1; delivery <= subject.maxDeliveryCount; delivery++) await (await next()).abandon();
      expect(await subject.receive(queue, shortMs)).toBeUndefined();
      const dead = await next(deadLetters);
      expect(dead).toMatchObject({ body: sent, reason: 'MaxDeliveryCountExceeded' });
      await dead.complete();
    });

    test('stays a dead letter however often it is delivered there', async () => {
      await messages.send(queue, [fresh()]);
      for (let delivery = 1; delivery <= subject.maxDeliveryCount; delivery++) await (await next()).abandon();
      for (let delivery = 1; delivery <= subject.maxDeliveryCount + 2; delivery++)
        await (await next(deadLetters)).abandon();
      await (await next(deadLetters)).complete();
      expect(await subject.receive(deadLetters, shortMs)).toBeUndefined();
    });

    test('that is scheduled comes when it is due, not before', async () => {
      const due = new Date(subject.now() + 3000);
      const sent = fresh();
      await messages.send(queue, [sent], due);
      expect(await subject.receive(queue, 1000)).toBeUndefined();
      const received = await next();
      // clocks of an account and of this machine differ a little
      expect(subject.now()).toBeGreaterThan(due.getTime() - 1000);
      expect(received).toMatchObject({ body: sent, deliveries: 1 });
      await received.complete();
    });

    test('that was due already comes at once', async () => {
      await messages.send(queue, [fresh()], new Date(subject.now() - 60_000));
      await (await next()).complete();
    });

    test('of more than 256 KB is refused, and nothing of it arrives', async () => {
      await expect(messages.send(queue, [fresh(300_000)])).rejects.toThrow();
      await expect(messages.send(queue, [fresh(300_000)], new Date(subject.now() + 1000))).rejects.toThrow();
      expect(await subject.receive(queue, 2000)).toBeUndefined();
    });

    test('whose id is longer than a broker takes, as those of events may be, arrives all the same', async () => {
      const sent = { ...fresh(), id: 'x'.repeat(200) };
      await messages.send(queue, [sent]);
      const received = await next();
      expect(received.body).toEqual(sent);
      await received.complete();
    });
  });

  describe('many messages', () => {
    const drain = async (): Promise<string[]> => {
      const ids: string[] = [];
      for (let one; (one = await subject.receive(queue, 1000)) !== undefined;) {
        ids.push((one.body as Message).id);
        await one.complete();
      }
      return ids.sort();
    };

    test.each([
      ['at once', undefined],
      ['on schedule', 500],
    ])('arrive %s, more than one transfer holds', slow, async (_how, laterMs) => {
      const sent = Array.from({ length: 230 }, () => fresh(3000));
      await messages.send(queue, sent, laterMs === undefined ? undefined : new Date(subject.now() + laterMs));
      if (laterMs !== undefined) await subject.sleep(laterMs + 1000);
      expect(await drain()).toEqual(sent.map(({ id }) => id).sort());
    });

    test('may be none', async () => {
      await messages.send(queue, []);
      expect(await subject.receive(queue, shortMs)).toBeUndefined();
    });
  });
}
