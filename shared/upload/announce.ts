/** The feed entry of uploads that a person should look at: one for each reason and hour, however many there are. */
import type { UploadDocument } from './document.ts';
import { feedEntry } from '../event/feed-entry.ts';
import { unassignedProject } from '../names.ts';
import type { Ports } from '../ports.ts';

const hourLength = '2026-03-01T12'.length;

/**
 * Announces an upload that is about to be quarantined or is in conflict. Announced first and recorded then: a delivery that
 * dies in between is repeated, and announces the same.
 */
export async function announceUpload(
  { documents }: Pick<Ports, 'documents'>,
  { id, project, blob }: Pick<UploadDocument, 'id' | 'project' | 'blob'>,
  outcome: string,
  reason: UploadDocument['reason'],
  at: string,
): Promise<void> {
  if (project === unassignedProject || (outcome !== 'quarantined' && outcome !== 'conflict')) return;
  const code = reason?.code ?? 'unknown';
  const what = outcome === 'conflict' ? 'waits for review' : 'is quarantined';
  const text = `${blob} ${what}: ${reason?.detail ?? code} Others of this hour for the same reason are in uploads?outcome=${outcome}.`;
  const announced = { type: `upload.${outcome}`, subject: `uploads/${id}`, text, at, by: null };
  const { event } = feedEntry(project, announced, ['upload', outcome, code, at.slice(0, hourLength)], { id });
  await documents.create('events', event);
}
