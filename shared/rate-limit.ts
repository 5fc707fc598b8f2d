/** Rates: a token bucket for each name, kept in this process. */

/** How often something may happen. */
export interface Rate {
  /** in the long run */
  perSecond: number;
  /** at once, after a rest */
  burst: number;
}

/** What one process allows. Every instance counts for itself. */
export interface RateLimits {
  /** of one API key */
  key: Rate;
  /** of all keys together in one project */
  project: Rate;
}

/**
 * More than a process of two cores answers, so that only what is out of all proportion is refused where nobody has set
 * another limit; a project has twice the rate of a key, or one key could use up what is everybody's.
 */
export const defaultRateLimits: RateLimits = {
  key: { perSecond: 1000, burst: 3000 },
  project: { perSecond: 2000, burst: 6000 },
};

/** What a bucket says to one more. */
export interface Taken {
  allowed: boolean;
  /** how many more are allowed at once */
  remaining: number;
  /** until the bucket is full again, rounded up */
  fullInSeconds: number;
  /** until one more is allowed, rounded up; 0 where one is now */
  againInSeconds: number;
}

export interface Buckets {
  /** Takes a token of `name` if there is one. */
  take(name: string, nowMs: number): Taken;
  /** Gives the token back that was taken for something that does not count after all. */
  refund(name: string): void;
}

/** Creates buckets for at most `maxNames` names; the one that was not asked for the longest is forgotten, which fills it. */
export function createBuckets({ perSecond, burst }: Rate, maxNames: number): Buckets {
  // a Map keeps insertion order: the first entry is the least recently used
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return {
    take(name, nowMs) {
      const bucket = buckets.get(name) ?? { tokens: burst, atMs: nowMs };
      // a clock that is set back must not take tokens away
      const elapsedMs = Math.max(0, nowMs - bucket.atMs);
      bucket.tokens = Math.min(burst, bucket.tokens + (elapsedMs / 1000) * perSecond);
      bucket.atMs = nowMs;
      const allowed = bucket.tokens >= 1;
      if (allowed) bucket.tokens -= 1;
      buckets.delete(name);
      buckets.set(name, bucket);
      const [oldest] = buckets.keys();
      if (buckets.size > maxNames && oldest !== undefined) buckets.delete(oldest);
      return {
        allowed,
        remaining: Math.floor(bucket.tokens),
        fullInSeconds: Math.ceil((burst - bucket.tokens) / perSecond),
        againInSeconds: Math.max(0, Math.ceil((1 - bucket.tokens) / perSecond)),
      };
    },
    refund(name) {
      const bucket = buckets.get(name);
      if (bucket !== undefined) bucket.tokens = Math.min(burst, bucket.tokens + 1);
    },
  };
}
