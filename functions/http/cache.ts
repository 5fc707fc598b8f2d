/** Values that are known for a while. */

/** At most so many values, each for a time; the one that was set the longest ago goes first. */
export interface Cache<T> {
  /** undefined: there is none, or its time is over */
  get: (id: string, nowMs: number) => T | undefined;
  /** whether there was one, and its time may be over */
  has: (id: string) => boolean;
  set: (id: string, value: T, nowMs: number) => void;
  delete: (id: string) => void;
}

/** Creates one that holds `max` values for `lifetimeMs` each. */
export function createCache<T>(max: number, lifetimeMs: number): Cache<T> {
  // a Map keeps insertion order
  const entries = new Map<string, { value: T; atMs: number }>();
  return {
    get(id, nowMs) {
      const entry = entries.get(id);
      return entry !== undefined && nowMs - entry.atMs < lifetimeMs ? entry.value : undefined;
    },
    has: (id) => entries.has(id),
    delete: (id) => void entries.delete(id),
    set(id, value, atMs) {
      entries.delete(id);
      entries.set(id, { value, atMs });
      const [oldest] = entries.keys();
      if (entries.size > max && oldest !== undefined) entries.delete(oldest);
    },
  };
}
