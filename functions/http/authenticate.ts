/** Whose key a request carries. */
import type { HttpRequest } from '@azure/functions';
import { keyId } from '../../shared/api/keys.ts';
import { Problem } from '../../shared/api/problem.ts';
import type { KeyDocument } from '../../shared/documents.ts';
import type { HttpPorts } from './route.ts';

const keyTrustMs = 30_000;
const maxKnownKeys = 1000;

/** Resolves to the key of a request; rejects with a 401 when it has none that is known. */
export type Authenticate = (request: HttpRequest) => Promise<KeyDocument>;

/** Who calls a route that asks for no key. */
export const nobody: KeyDocument = { id: '', pk: '', name: 'anonymous', role: 'viewer', project: '', createdAt: '' };

const refused = (): Problem =>
  new Problem(
    401,
    'unauthorized',
    'Send a valid API key in the header x-api-key. Make one where the settings of the platform are in the environment (set -a; . .darkroom/settings.env; set +a): npm run create-key -- --role operator. For one in Azure: npm run create-key -- --cosmos https://...',
  );

/** Finds the keys of requests; a key is remembered for half a minute at most. */
export function createAuthenticate(ports: Pick<HttpPorts, 'clock' | 'documents'>): Authenticate {
  const known = new Map<string, { key: KeyDocument; at: number }>();
  return async (request) => {
    const bearer = /^Bearer (dk_.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
    const id = keyId(request.headers.get('x-api-key') ?? bearer ?? '');
    if (id === undefined) throw refused();
    const now = ports.clock.now().getTime();
    const remembered = known.get(id);
    if (remembered !== undefined && now - remembered.at < keyTrustMs) return remembered.key;
    const found = await ports.documents.read('keys', id, id);
    if (found === undefined) throw refused();
    const oldest = known.keys().next().value;
    if (known.size >= maxKnownKeys && oldest !== undefined) known.delete(oldest);
    known.set(id, { key: found.document, at: now });
    return found.document;
  };
}
