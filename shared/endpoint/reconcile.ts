/** Reconciling a project's endpoint: what is unsent is sent, and a trial whose messages are lost is decided. */
import type { Cause } from '../delivery/message.ts';
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports } from '../ports.ts';
import { decideCanary } from './check-canary.ts';

/** Sends what the endpoint still has to send, and decides on a canary that would be on trial for ever. */
export async function reconcileEndpoint(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  project: string,
  cause: Cause,
): Promise<void> {
  const endpoint = await ports.documents.read('endpoints', project, 'endpoint');
  if (endpoint === undefined) return;
  await sendOutbox(ports, 'endpoints', endpoint);
  if (endpoint.document.canary) await decideCanary(ports, project, endpoint.document.canary, cause);
}
