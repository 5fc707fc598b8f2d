/** Reconciling a project's models: what is unsent is sent. */
import { sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports } from '../ports.ts';

/** older ones were decided long ago, and their messages sent */
const newest = 20;

/** Sends what the newest models still have to send. */
export async function reconcileModels(ports: Pick<Ports, 'documents' | 'messages'>, project: string): Promise<void> {
  const models = await ports.documents.query('models', {
    pk: project,
    orderBy: { field: 'number', descending: true },
    limit: newest,
  });
  for (const model of models.items) await sendOutbox(ports, 'models', model);
}
