/** setTimeout counts in 32 bits: what is to happen next month is looked at again tomorrow. */
const longestWaitMs = 86_400_000;

/** One timer for many moments: it rings at the earliest that it was set to, or sooner. */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at = Number.POSITIVE_INFINITY;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings at `at`, in milliseconds since the epoch, unless it rings before that; never, at infinity. */
  set(at: number): void {
    if (at === Number.POSITIVE_INFINITY || this.#at <= at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    const wait = Math.min(Math.max(0, at - Date.now()) + 1, longestWaitMs);
    this.#timer = setTimeout(() => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#ring();
    }, wait);
    this.#timer.unref();
  }

  /** Rings no more, whatever it is set to. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#at = Number.NEGATIVE_INFINITY;
  }
}
