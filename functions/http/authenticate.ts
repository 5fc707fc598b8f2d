/** Whose key a request carries. */
import type { HttpRequest } from '@azure/functions';
import { isExpired } from '../../shared/api/keys.ts';
import { keyId } from '../../shared/key/secret.ts';
import { Problem } from '../../shared/api/problem.ts';
import type { KeyDocument } from '../../shared/key/document.ts';
import { createBuckets } from '../../shared/rate-limit.ts';
import { addressOf } from './address.ts';
import { createLastUse } from './last-use.ts';
import type { HttpPorts } from './route.ts';

/** how long a key is known, and how long a wrong one is known to be wrong, without another look */
const keyTrustMs = 30_000;
const maxKnownKeys = 1000;
const maxWrongKeys = 10_000;
/** Keys that turn out to be wrong cost a read each: this many from one address, and then one in ten seconds. */
const wrongPerAddress = { perSecond: 0.1, burst: 10 };
/** And from all addresses together, since somebody may have many: 20 reads a second are nothing to Cosmos DB. */
const wrongInAll = { perSecond: 20, burst: 200 };
const maxAddresses = 10_000;

/** Resolves to the key of a request; rejects with a 401 when it has none that is known, with a 429 after too many of those. */
export type Authenticate = (request: Pick<HttpRequest, 'headers'>) => Promise<KeyDocument>;

/** Who calls a route that asks for no key. */
export const nobody: KeyDocument = { id: '', pk: '', name: 'anonymous', role: 'viewer', project: '', createdAt: '' };

const refused = (): Problem =>
  new Problem(
    401,
    'unauthorized',
    'Send a valid API key in the header x-api-key. Make one where the settings of the platform are in the environment (set -a; . .darkroom/settings.env; set +a): npm run create-key -- --role operator. For one in Azure: npm run create-key -- --cosmos https://...',
  );

const tooMany = (retryAfterSeconds: number): Problem => {
  const detail = `Too many wrong API keys came from here, so no other key is looked up for ${retryAfterSeconds} s. Keys in use are not affected. Wait, then send a valid one.`;
  return new Problem(429, 'too-many-wrong-keys', detail, { retryAfterSeconds });
};

/** Once it has expired a key is no key; who has it is told since when. */
function current(key: KeyDocument, now: number): KeyDocument {
  if (!isExpired(key, new Date(now))) return key;
  const next = key.replacedBy === undefined ? '' : ' It was rotated: use the key that replaced it.';
  const detail = `The key "${key.name}" expired at ${key.expiresAt}.${next} An operator makes another with POST /api/v1/keys, or: npm run create-key.`;
  throw new Problem(401, 'key-expired', detail);
}

/** Remembers at most `max` values, each for the time that keys are trusted. */
function createMemory<T>(max: number) {
  const entries = new Map<string, { value: T; at: number }>();
  return {
    recall(id: string, now: number): T | undefined {
      const entry = entries.get(id);
      return entry !== undefined && now - entry.at < keyTrustMs ? entry.value : undefined;
    },
    has: (id: string): boolean => entries.has(id),
    forget: (id: string): boolean => entries.delete(id),
    remember(id: string, value: T, at: number): void {
      entries.delete(id);
      entries.set(id, { value, at });
      const [oldest] = entries.keys();
      if (entries.size > max && oldest !== undefined) entries.delete(oldest);
    },
  };
}

/** Lets `read` look for keys that nobody has used yet until too many of them were wrong. */
function createThrottle() {
  const addresses = createBuckets(wrongPerAddress, maxAddresses);
  const all = createBuckets(wrongInAll, 1);
  return async <T>(address: string, now: number, read: () => Promise<T | undefined>): Promise<T | undefined> => {
    const own = addresses.take(address, now);
    if (!own.allowed) throw tooMany(own.againInSeconds);
    const shared = all.take('', now);
    if (!shared.allowed) {
      addresses.giveBack(address);
      throw tooMany(shared.againInSeconds);
    }
    let wrong = false;
    try {
      const found = await read();
      wrong = found === undefined;
      return found;
    } finally {
      if (!wrong) {
        addresses.giveBack(address);
        all.giveBack('');
      }
    }
  };
}

/** Finds the keys of requests. Wrong keys are throttled by the address they come from; keys in use never are. */
export function createAuthenticate(ports: Pick<HttpPorts, 'clock' | 'documents'>): Authenticate {
  const known = createMemory<KeyDocument>(maxKnownKeys);
  const wrong = createMemory<true>(maxWrongKeys);
  const reading = new Map<string, Promise<KeyDocument | undefined>>();
  const throttled = createThrottle();
  const noteUse = createLastUse(ports);

  const read = async (id: string, now: number): Promise<KeyDocument | undefined> => {
    const found = await ports.documents.read('keys', id, id);
    if (found === undefined) {
      known.forget(id);
      wrong.remember(id, true, now);
      return undefined;
    }
    known.remember(id, found.document, now);
    if (!isExpired(found.document, new Date(now))) noteUse(found);
    return found.document;
  };

  return async ({ headers }) => {
    const bearer = /^Bearer (dk_.+)$/.exec(headers.get('authorization') ?? '')?.[1];
    const id = keyId(headers.get('x-api-key') ?? bearer ?? '');
    if (id === undefined) throw refused();
    const now = ports.clock.now().getTime();
    const remembered = known.recall(id, now);
    if (remembered !== undefined) return current(remembered, now);
    if (wrong.recall(id, now) === true) throw refused();
    // of many requests that come at once, one looks
    let found = reading.get(id);
    if (found === undefined) {
      const look = (): Promise<KeyDocument | undefined> => read(id, now);
      found = known.has(id) ? look() : throttled(addressOf(headers), now, look);
      reading.set(id, found);
      const done = (): void => void reading.delete(id);
      found.then(done, done);
    }
    const key = await found;
    if (key === undefined) throw refused();
    return current(key, now);
  };
}
