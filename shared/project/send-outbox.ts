/** Sending what a project's document still has to send. */
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ProjectDocument } from './document.ts';

/** Sends what a project still has to send; returns it as it is then, since an answer names its ETag. */
export async function sendProjectOutbox(
  ports: Pick<Ports, 'documents' | 'messages'>,
  stored: Stored<ProjectDocument>,
): Promise<Stored<ProjectDocument>> {
  if (outboxOf(stored.document).length === 0) return stored;
  await sendOutbox(ports, 'projects', stored);
  return (await ports.documents.read('projects', 'projects', stored.document.id)) ?? stored;
}
