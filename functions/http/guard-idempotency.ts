/** An Idempotency-Key stands for one request. */
import { createHash } from 'node:crypto';
import { Problem } from '../../shared/api/problem.ts';
import { digestOf } from '../../shared/digest.ts';
import type { Call, HttpPorts } from './route.ts';
import type { MountedRoute } from './surface.ts';

/** Throws a 409 when the Idempotency-Key of a call came with another body before, whatever the route would say. */
export async function guardIdempotency(
  ports: Pick<HttpPorts, 'clock' | 'documents'>,
  { name, route }: MountedRoute,
  call: Call<unknown, unknown, string>,
): Promise<void> {
  if (call.idempotencyKey === undefined || route.method === 'GET') return;
  const id = digestOf(40, name, ...Object.values(call.params), call.idempotencyKey);
  const body = createHash('sha256').update(call.bytes).digest('hex');
  const at = ports.clock.now().toISOString();
  const created = await ports.documents.create('requests', { id, pk: id, body, at });
  const first = created === 'exists' ? (await ports.documents.read('requests', id, id))?.document.body : body;
  if (first === undefined || first === body) return;
  throw new Problem(
    409,
    'idempotency-key-reused',
    'This Idempotency-Key was used for another body within the last day. Use a new key for a new request.',
    { target: 'Idempotency-Key' },
  );
}
