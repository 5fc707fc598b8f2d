/** Guessing keys: how many wrong ones are looked up. */
import { Problem } from '../../shared/api/problem.ts';
import { createBuckets } from '../../shared/rate-limit.ts';

/** Keys that turn out to be wrong cost a read each: this many from one address, and then one in ten seconds. */
const wrongPerAddress = { perSecond: 0.1, burst: 10 };
/** And from all addresses together, since somebody may have many: 20 reads a second are nothing to Cosmos DB. */
const wrongInAll = { perSecond: 20, burst: 200 };
const maxAddresses = 10_000;

const tooMany = (retryAfterSeconds: number): Problem => {
  const detail = `Too many wrong API keys came from here, so no other key is looked up for ${retryAfterSeconds} s. Keys in use are not affected. Wait, then send a valid one.`;
  return new Problem(429, 'too-many-wrong-keys', detail, { retryAfterSeconds });
};

/**
 * Reads a key that nobody has used yet for a client at an address; undefined is a wrong one. Rejects with a 429 where
 * too many of that address, or of all, were wrong.
 */
export type Throttle = <T>(address: string, now: number, read: () => Promise<T | undefined>) => Promise<T | undefined>;

/** Creates the counters of one process. */
export function createThrottle(): Throttle {
  const addresses = createBuckets(wrongPerAddress, maxAddresses);
  const all = createBuckets(wrongInAll, 1);
  return async (address, now, read) => {
    const own = addresses.take(address, now);
    if (!own.allowed) throw tooMany(own.againInSeconds);
    const shared = all.take('', now);
    if (!shared.allowed) {
      addresses.refund(address);
      throw tooMany(shared.againInSeconds);
    }
    let wrong = false;
    try {
      const found = await read();
      wrong = found === undefined;
      return found;
    } finally {
      if (!wrong) {
        addresses.refund(address);
        all.refund('');
      }
    }
  };
}
