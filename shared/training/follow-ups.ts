/** What follows from a transition of a run: the message that wakes the next verb, and what the feed says. */
import type { Outgoing } from '../delivery/document.ts';
import type { Cause } from '../delivery/message.ts';
import type { RunDocument } from './document.ts';
import { feedEntries } from './feed-entries.ts';
import { ended, pollDue, queued, trained } from './messages.ts';
import { isOpen } from './run.ts';

/** What one change of a run sends; `by` is who made the change, if a person did. */
export function followUps(
  before: RunDocument,
  after: RunDocument,
  { now, by }: { now: Date; by: string | null },
  cause: Cause,
): Outgoing[] {
  return [...next(before, after, now, cause), ...feedEntries(before, after, { at: now.toISOString(), by }, cause)];
}

function next(before: RunDocument, after: RunDocument, now: Date, cause: Cause): Outgoing[] {
  if (before.state === after.state && before.token === after.token) return [];
  const named = { project: after.pk, run: after.id };
  const traced: Cause = {
    id: cause.id,
    correlationid: after.correlation,
    traceparent: cause.traceparent ?? after.traceparent ?? undefined,
  };
  if (!isOpen(after.state)) return [ended(named, traced)];
  switch (after.state) {
    case 'queued':
      return [queued(named, traced, after.attempt, after.retryAt)];
    case 'submitted': {
      const token = after.token ?? '';
      return [pollDue({ ...named, token }, traced, token, now)];
    }
    case 'evaluating':
      return [trained(named, traced)];
    default:
      return [];
  }
}
