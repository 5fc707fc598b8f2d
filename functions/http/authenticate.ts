/** Whose key a request carries. */
import { isExpired } from '../../shared/api/keys.ts';
import { keyId } from '../../shared/key/secret.ts';
import { Problem } from '../../shared/api/problem.ts';
import type { KeyDocument } from '../../shared/key/document.ts';
import { addressOf } from './address.ts';
import { createCache } from './cache.ts';
import { createLastUse } from './last-use.ts';
import type { HttpPorts } from './route.ts';
import type { Credentials, RequestHeaders } from './surface.ts';
import { createThrottle } from './throttle.ts';

/** how long a key is known, and how long a wrong one is known to be wrong, without another read */
const keyTrustMs = 30_000;
const maxKnownKeys = 1000;
const maxWrongKeys = 10_000;

/**
 * Resolves to the key that a request carries as the surface's clients send it; rejects with a 401 when it has none that
 * is known, with a 429 after too many of those.
 */
export type Authenticate = (headers: RequestHeaders, credentials: Credentials) => Promise<KeyDocument>;

/** Who calls a route that asks for no key. */
export const nobody: KeyDocument = { id: '', pk: '', name: 'anonymous', role: 'viewer', project: '', createdAt: '' };

const refused = ({ advice }: Credentials): Problem => new Problem(401, 'unauthorized', advice);

/** Once it has expired a key is no key; who has it is told since when. */
function current(key: KeyDocument, now: number): KeyDocument {
  if (!isExpired(key, new Date(now))) return key;
  const next = key.replacedBy === undefined ? '' : ' It was rotated: use the key that replaced it.';
  const detail = `The key "${key.name}" expired at ${key.expiresAt}.${next} An operator makes another with POST /api/v1/keys, or: npm run create-key.`;
  throw new Problem(401, 'key-expired', detail);
}

/** Finds the keys of requests. Wrong keys are throttled by the address they come from; keys in use never are. */
export function createAuthenticate(ports: Pick<HttpPorts, 'clock' | 'documents'>): Authenticate {
  const known = createCache<KeyDocument>(maxKnownKeys, keyTrustMs);
  const wrong = createCache<true>(maxWrongKeys, keyTrustMs);
  const reading = new Map<string, Promise<KeyDocument | undefined>>();
  const throttled = createThrottle();
  const noteUse = createLastUse(ports);

  const read = async (id: string, now: number): Promise<KeyDocument | undefined> => {
    const found = await ports.documents.read('keys', id, id);
    if (found === undefined) {
      known.delete(id);
      wrong.set(id, true, now);
      return undefined;
    }
    known.set(id, found.document, now);
    if (!isExpired(found.document, new Date(now))) noteUse(found);
    return found.document;
  };

  return async (headers, credentials) => {
    const id = keyId(credentials.keyIn(headers) ?? '');
    if (id === undefined) throw refused(credentials);
    const now = ports.clock.now().getTime();
    const remembered = known.get(id, now);
    if (remembered !== undefined) return current(remembered, now);
    if (wrong.get(id, now) === true) throw refused(credentials);
    // of many requests that come at once, one reads
    let found = reading.get(id);
    if (found === undefined) {
      const readKey = (): Promise<KeyDocument | undefined> => read(id, now);
      found = known.has(id) ? readKey() : throttled(addressOf(headers), now, readKey);
      reading.set(id, found);
      const done = (): void => void reading.delete(id);
      found.then(done, done);
    }
    const key = await found;
    if (key === undefined) throw refused(credentials);
    return current(key, now);
  };
}
