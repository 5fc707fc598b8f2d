/** An Idempotency-Key stands for one request. */
import { Problem } from '../../shared/api/problem.ts';
import { digestOf } from '../../shared/digest.ts';
import type { Call, HttpPorts } from './route.ts';
import type { MountedRoute } from './surface.ts';

/** Throws a 409 when the Idempotency-Key of a call came with another body or query before, whatever the route would say. `sha256` is that of the body, in hex. */
export async function guardIdempotency(
  ports: Pick<HttpPorts, 'clock' | 'documents'>,
  { name, route }: MountedRoute,
  call: Pick<Call<unknown, unknown, string>, 'params' | 'query' | 'idempotencyKey'>,
  sha256: () => string,
): Promise<void> {
  if (call.idempotencyKey === undefined || route.method === 'GET') return;
  const id = digestOf(40, name, ...Object.values(call.params), call.idempotencyKey);
  const query = JSON.stringify(call.query);
  const body = query === '{}' ? sha256() : digestOf(64, query, sha256());
  const at = ports.clock.now().toISOString();
  const created = await ports.documents.create('requests', { id, pk: id, body, at });
  const first = created === 'exists' ? (await ports.documents.read('requests', id, id))?.document.body : body;
  if (first === undefined || first === body) return;
  throw new Problem(
    409,
    'idempotency-key-reused',
    'This Idempotency-Key was used for another body or query within the last day. Use a new key for a new request.',
    { target: 'Idempotency-Key' },
  );
}
