/** Messages that wait for a receiver, in order of sequence numbers. Cheap for many, which come at the end and go at the front. */
import type { BusMessage } from './message.ts';

export class Waiting {
  /** in order, from `#head` on */
  #fresh: BusMessage[] = [];
  #head = 0;
  /** abandoned or expired, in order */
  readonly #returned: BusMessage[] = [];

  get size(): number {
    return this.#fresh.length - this.#head + this.#returned.length;
  }

  /** Adds a message with a greater number than any before. */
  add(message: BusMessage): void {
    this.#fresh.push(message);
  }

  /** Puts a message back, in its old place. */
  requeue(message: BusMessage): void {
    const at = this.#returned.findIndex((m) => m.sequence > message.sequence);
    this.#returned.splice(at < 0 ? this.#returned.length : at, 0, message);
  }

  /** Removes and returns the message with the smallest number. */
  take(): BusMessage | undefined {
    const fresh = this.#fresh[this.#head];
    const back = this.#returned[0];
    if (back !== undefined && (fresh === undefined || back.sequence < fresh.sequence)) return this.#returned.shift();
    if (fresh !== undefined) this.#advance();
    return fresh;
  }

  #advance(): void {
    this.#head++;
    // soon, since what is before the head stays in memory till then
    if (this.#head > 32 && this.#head * 2 > this.#fresh.length) {
      this.#fresh = this.#fresh.slice(this.#head);
      this.#head = 0;
    }
  }

  /** all of them, in no order */
  all(): BusMessage[] {
    return [...this.#returned, ...this.#fresh.slice(this.#head)];
  }
}
