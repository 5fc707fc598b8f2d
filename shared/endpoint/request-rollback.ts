/** A person rolls an endpoint back. */
import type { Cause } from '../delivery/message.ts';
import { digestOf } from '../digest.ts';
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import { assertSeen, changed, type Seen } from '../precondition.ts';
import { findProject } from '../project/find.ts';
import type { EndpointDocument } from './document.ts';
import { rollBack, whyNoRollback } from './roll-back.ts';

export interface RollbackRequest {
  project: string;
  reason: string;
  by: string;
  seen: Seen;
  /** asked again with the same one, it is the same rollback */
  idempotencyKey: string | undefined;
}

const nothingLeft = (why: string): TerminalError => new TerminalError('nothing-to-roll-back', why);

/** Of `*` alone nobody could tell a second rollback from one whose answer was lost, and a good model would be gone. */
const needsKey = (): TerminalError =>
  new TerminalError(
    'idempotency-key-required',
    'If-Match: * needs an Idempotency-Key, so that a repeated request does not roll back twice. Or send the ETag of the endpoint.',
    'Idempotency-Key',
  );

/**
 * Returns the endpoint to the model before, once for each request; resolves to the endpoint as it is then. Throws a
 * TerminalError where nothing is left to return to, and where the endpoint changed since it was seen.
 */
export async function requestRollback(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  { project: name, reason, by, seen, idempotencyKey }: RollbackRequest,
  cause: Cause,
): Promise<Stored<EndpointDocument>> {
  const { document: project } = await findProject(ports, name);
  const stored = await ports.documents.read('endpoints', project.id, 'endpoint');
  if (stored === undefined) throw nothingLeft('No model has ever been live in this project.');
  if (seen === '*' && idempotencyKey === undefined) throw needsKey();
  const deployment = `b-${digestOf(24, project.id, 'rollback', idempotencyKey ?? stored.etag)}`;
  if (!stored.document.handled.includes(deployment)) assertSeen(seen, stored.etag);
  const at = ports.clock.now().toISOString();
  const after = await rollBack(ports, stored, { by, reason, at, deployment }, cause);
  if (after === 'changed') throw changed();
  const current = await ports.documents.read('endpoints', project.id, 'endpoint');
  if (current === undefined) throw changed();
  if (after === undefined && !current.document.handled.includes(deployment))
    throw nothingLeft(whyNoRollback(current.document));
  return current;
}
