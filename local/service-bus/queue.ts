/** One queue: what is available, locked, scheduled, and its dead letters. Time is the wall clock, as on Azure. */
import { randomBytes } from 'node:crypto';
import { Alarm } from './alarm.ts';
import { type BusMessage, withApplicationProperties } from './message.ts';
import { Scheduled } from './scheduled.ts';
import type { MessageStore } from './store.ts';
import { Waiting } from './waiting.ts';

export interface QueueSettings {
  lockMs: number;
  maxDeliveryCount: number;
}

/** Whoever gets messages: an AMQP link with credit. */
export interface Consumer {
  receiveAndDelete: boolean;
  /** there is credit and room for one more message */
  ready(): boolean;
  send(message: BusMessage, tag: Buffer, lockedUntil: number | undefined): void;
}

export interface Lock {
  message: BusMessage;
  key: string;
  until: number;
  queue: Queue;
}

export const deadLetterSuffix = '/$deadletterqueue';
/** Messages that live longer are refused nowhere in the Basic tier; it caps their lifetime. */
const maxTtlMs = 14 * 86_400_000;
/** until a due message that the disk did not let go of is tried again */
const retryMs = 1000;

export class Queue {
  readonly name: string;
  readonly deadLetters: Queue | undefined;
  readonly settings: QueueSettings;
  readonly consumers = new Set<Consumer>();
  readonly #store: MessageStore;
  readonly #locks = new Map<string, Lock>();
  readonly #available = new Waiting();
  readonly #scheduled = new Scheduled();
  readonly #alarm = new Alarm(() => void this.#tick());
  #sequence: number;
  #kicked = false;
  #closed = false;

  constructor(name: string, settings: QueueSettings, store: MessageStore) {
    this.name = name;
    this.settings = settings;
    this.#store = store;
    if (!name.endsWith(deadLetterSuffix)) {
      this.deadLetters = new Queue(
        name + deadLetterSuffix,
        { ...settings, maxDeliveryCount: Number.POSITIVE_INFINITY },
        store,
      );
    }
    const { messages, sequence } = store.load(name);
    this.#sequence = sequence;
    for (const message of messages) {
      if (message.dueAt === null) this.#available.add(message);
      else this.#schedule(message);
    }
  }

  get depth(): { active: number; scheduled: number; deadLettered: number; locked: number } {
    return {
      active: this.#available.size,
      scheduled: this.#scheduled.size,
      deadLettered: this.deadLetters?.depth.active ?? 0,
      locked: this.#locks.size,
    };
  }

  /** Takes a message in; resolves with its sequence number once it is on disk. */
  async enqueue(message: BusMessage): Promise<number> {
    message.sequence = ++this.#sequence;
    message.enqueuedAt ||= Date.now();
    if (message.dueAt !== null && message.dueAt <= Date.now()) message.dueAt = null;
    await this.#store.write({ kind: 'put', queue: this.name, message });
    if (message.dueAt === null) this.#makeAvailable(message);
    else this.#schedule(message);
    return message.sequence;
  }

  #makeAvailable(message: BusMessage): void {
    this.#available.add(message);
    this.kick();
  }

  #schedule(message: BusMessage): void {
    this.#scheduled.add(message);
    this.#arm();
  }

  async cancelScheduled(sequence: number): Promise<boolean> {
    const message = this.#scheduled.remove(sequence);
    if (message === undefined) return false;
    try {
      await this.#store.write({ kind: 'remove', queue: this.name, sequence });
    } catch (error) {
      this.#schedule(message);
      throw error;
    }
    return true;
  }

  /** Messages from a sequence number on, whatever their state. */
  peek(from: number, count: number): BusMessage[] {
    const all = [
      ...this.#available.all(),
      ...[...this.#locks.values()].map((l) => l.message),
      ...this.#scheduled.all(),
    ];
    return all
      .filter((m) => m.sequence >= from)
      .sort((a, b) => a.sequence - b.sequence)
      .slice(0, count);
  }

  #take(): BusMessage | undefined {
    for (;;) {
      const message = this.#available.take();
      if (message === undefined) return undefined;
      const ttl = Math.min(message.header.ttl ?? maxTtlMs, maxTtlMs);
      if (message.enqueuedAt + ttl > Date.now() || this.deadLetters === undefined) return message;
      // expired: gone, as on a queue without dead-lettering on expiry
      this.#forget(message);
    }
  }

  /** Removes a message that nobody waits for; one that the disk still holds then is met again after a restart. */
  #forget({ sequence }: BusMessage): void {
    this.#store
      .write({ kind: 'remove', queue: this.name, sequence })
      .catch((error: unknown) => console.error(`service bus: message ${sequence} of ${this.name} stays:`, error));
  }

  /** Makes a message available again, in its old place. */
  #requeue(message: BusMessage): void {
    this.#available.requeue(message);
    this.kick();
  }

  /** Hands out messages soon; many calls in one turn make one hand-out. */
  kick(): void {
    if (this.#kicked) return;
    this.#kicked = true;
    queueMicrotask(() => {
      this.#kicked = false;
      this.dispatch();
    });
  }

  /** Gives every consumer with credit a message in turn until there is none of either. */
  dispatch(): void {
    let gave = true;
    while (gave && !this.#closed) {
      gave = false;
      for (const consumer of this.consumers) {
        if (!consumer.ready()) continue;
        const message = this.#take();
        if (message === undefined) return;
        this.#deliver(consumer, message);
        gave = true;
      }
    }
  }

  #deliver(consumer: Consumer, message: BusMessage): void {
    const tag = randomBytes(16);
    if (consumer.receiveAndDelete) {
      this.#forget(message);
      consumer.send(message, tag, undefined);
      return;
    }
    const until = Date.now() + this.settings.lockMs;
    const lock: Lock = { message, key: tag.toString('hex'), until, queue: this };
    this.#locks.set(lock.key, lock);
    consumer.send(message, tag, until);
    this.#arm();
  }

  /** The lock of a delivery, unless it was lost. */
  lock(key: string): Lock | undefined {
    const lock = this.#locks.get(key);
    return lock !== undefined && lock.until > Date.now() ? lock : undefined;
  }

  /** Removes a message for good. When the disk does not take that, the message is delivered again. */
  async complete(lock: Lock): Promise<void> {
    this.#locks.delete(lock.key);
    try {
      await this.#store.write({ kind: 'remove', queue: this.name, sequence: lock.message.sequence });
    } catch (error) {
      this.#requeue(lock.message);
      throw error;
    }
  }

  /** Gives back a message that its receiver never looked at: that is no delivery. */
  release(lock: Lock): void {
    this.#locks.delete(lock.key);
    this.#requeue(lock.message);
  }

  /** Gives a message back for another delivery; one too many makes it a dead letter. */
  async abandon(lock: Lock, properties: Record<string, unknown> | undefined): Promise<void> {
    this.#locks.delete(lock.key);
    const message = properties === undefined ? lock.message : withApplicationProperties(lock.message, properties);
    message.deliveryCount++;
    if (message.deliveryCount >= this.settings.maxDeliveryCount) {
      const detail = `Message could not be consumed after ${message.deliveryCount} delivery attempts.`;
      return this.#toDeadLetters(message, {
        DeadLetterReason: 'MaxDeliveryCountExceeded',
        DeadLetterErrorDescription: detail,
      });
    }
    // the message itself is on disk: without room for its count it is delivered again all the same
    await this.#store.write({ kind: 'put', queue: this.name, message }).catch(() => undefined);
    this.#requeue(message);
  }

  async deadLetter(lock: Lock, properties: Record<string, unknown>): Promise<void> {
    this.#locks.delete(lock.key);
    await this.#toDeadLetters(lock.message, properties);
  }

  async #toDeadLetters(message: BusMessage, properties: Record<string, unknown>): Promise<void> {
    const copy = withApplicationProperties(message, properties);
    const { ttl: _ttl, ...header } = copy.header;
    const target = this.deadLetters ?? this;
    const dead = { ...copy, header, deadLetterSource: this.name, enqueuedSequence: message.sequence, dueAt: null };
    try {
      // both in one turn, and so in one transaction
      await Promise.all([
        target.enqueue(dead),
        this.#store.write({ kind: 'remove', queue: this.name, sequence: message.sequence }),
      ]);
    } catch (error) {
      this.#requeue(message);
      throw error;
    }
  }

  renew(key: string): number | undefined {
    const lock = this.lock(key);
    if (lock === undefined) return undefined;
    lock.until = Date.now() + this.settings.lockMs;
    // to the end of the Map, so that its order stays the order of expiry
    this.#locks.delete(key);
    this.#locks.set(key, lock);
    this.#arm();
    return lock.until;
  }

  /** For the next lock that expires or message that comes due. */
  #arm(): void {
    const expires = this.#locks.values().next().value?.until ?? Number.POSITIVE_INFINITY;
    this.#alarm.set(Math.min(expires, this.#scheduled.nextAt));
  }

  async #tick(): Promise<void> {
    const now = Date.now();
    const due: Promise<unknown>[] = this.#scheduled.takeDue(now).map((message) => this.#release(message, now));
    for (const lock of this.#locks.values()) {
      if (lock.until > now) break;
      due.push(this.abandon(lock, undefined));
    }
    // what could not be moved is where it was, or available again
    await Promise.allSettled(due);
    this.#arm();
  }

  async #release(message: BusMessage, now: number): Promise<void> {
    const old = message.sequence;
    const released = { ...message, enqueuedSequence: old, sequence: ++this.#sequence, enqueuedAt: now, dueAt: null };
    try {
      await Promise.all([
        this.#store.write({ kind: 'put', queue: this.name, message: released }),
        this.#store.write({ kind: 'remove', queue: this.name, sequence: old }),
      ]);
      this.#makeAvailable(released);
    } catch {
      this.#schedule({ ...message, dueAt: now + retryMs });
    }
  }

  close(): void {
    this.#closed = true;
    this.#alarm.stop();
    this.deadLetters?.close();
  }
}
