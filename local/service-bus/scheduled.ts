/** Messages that are to become available later, in the order of their time. */
import type { BusMessage } from './message.ts';

export class Scheduled {
  readonly #messages: BusMessage[] = [];

  get size(): number {
    return this.#messages.length;
  }

  /** when the first one is due, in milliseconds since the epoch; infinity where there is none */
  get nextAt(): number {
    return this.#messages[0]?.dueAt ?? Number.POSITIVE_INFINITY;
  }

  /** Adds a message behind those that are due at the same time. */
  add(message: BusMessage): void {
    const at = this.#messages.findIndex((m) => (m.dueAt ?? 0) > (message.dueAt ?? 0));
    this.#messages.splice(at < 0 ? this.#messages.length : at, 0, message);
  }

  /** Removes and returns the message of a sequence number. */
  remove(sequence: number): BusMessage | undefined {
    const at = this.#messages.findIndex((m) => m.sequence === sequence);
    return at < 0 ? undefined : this.#messages.splice(at, 1)[0];
  }

  /** Removes and returns what is due by now. */
  takeDue(now: number): BusMessage[] {
    const later = this.#messages.findIndex((m) => (m.dueAt ?? 0) > now);
    return this.#messages.splice(0, later < 0 ? this.#messages.length : later);
  }

  /** all of them, in order */
  all(): readonly BusMessage[] {
    return this.#messages;
  }
}
