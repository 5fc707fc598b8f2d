/** What the feed says of a training: when it begins, when an attempt fails, and how it ends. */
import type { Outgoing } from '../delivery/document.ts';
import type { RunDocument } from './document.ts';
import { feedEntry } from '../event/feed-entry.ts';
import type { Cause } from '../delivery/message.ts';

/** Entries for what one change of a run means to a person; `by` is who made the change, if a person did. */
export function feedEntries(
  before: RunDocument,
  after: RunDocument,
  { at, by }: { at: string; by: string | null },
  cause: Pick<Cause, 'id'>,
): Outgoing[] {
  const { id, pk: project, attempt, requestedBy } = after;
  const entry = (what: string, text: string, who: string | null = null, once = String(attempt)): Outgoing[] => {
    const said = { type: `training.${what}`, subject: `trainings/${id}`, text, at, by: who };
    return [feedEntry(project, said, ['training', id, what, once], cause)];
  };
  const name =
    after.origin === undefined
      ? `Training ${id} on version ${after.version.number}`
      : `The model that ${after.origin.by} uploaded (training ${id}), judged on version ${after.version.number},`;
  const became = after.origin === undefined ? 'made' : 'is';
  const attemptFailed = after.attempts.length > before.attempts.length;
  if (after.state === before.state && !attemptFailed) return [];
  switch (after.state) {
    case 'submitted':
      return attempt === 1 ? entry('started', `${name} starts, asked for by ${requestedBy}.`, requestedBy) : [];
    case 'queued':
      // compute without capacity is asked for a day, and this said once
      if (after.attempts.at(-1)?.putOff === true)
        return entry('put-off', `${name} is put off until compute takes it. ${after.failure?.detail ?? ''}`, null, '');
      return entry('retried', `${name}: attempt ${attempt} ended, and it begins again. ${after.failure?.detail ?? ''}`);
    case 'failed':
      return entry('failed', `${name} failed (${after.failure?.code ?? 'unknown'}): ${after.failure?.detail ?? ''}`);
    case 'cancelled':
      return entry('cancelled', `${name} was cancelled. ${after.failure?.detail ?? ''}`, by);
    case 'rejected':
      return entry(
        'rejected',
        `${name} ${became} model ${after.model}, which the gate rejected: ${failedRules(after)}.`,
      );
    case 'registered':
      return entry('registered', `${name} ${became} model ${after.model}, which passed the gate.`);
    default:
      return [];
  }
}

const failedRules = ({ verdict }: RunDocument): string =>
  (verdict?.reasons ?? [])
    .filter((reason) => reason.startsWith('failed: '))
    .map((reason) => reason.slice('failed: '.length))
    .join('; ');
