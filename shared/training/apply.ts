/** Applying an event to a run: one compare-and-swap, with what follows from it in the outbox. */
import type { Outgoing } from '../delivery/document.ts';
import type { Cause } from '../delivery/message.ts';
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import { update } from '../update.ts';
import type { Ports } from '../ports.ts';
import type { RunDocument } from './document.ts';
import { followUps } from './follow-ups.ts';
import type { ReportedEvent } from './run.ts';
import { transition } from './transition.ts';

export type ApplyPorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

/** compute may ask for a longer pause than this, but then its trouble is ours to tell */
export const longestPauseSeconds = 900;
/** Backoff before the next attempt: 5 s, 20 s, 80 s, 320 s, then the longest; longer when compute asks for it. */
const backoffSeconds = (attempt: number, asked: number): number =>
  Math.min(Math.max(5 * 4 ** Math.max(attempt - 1, 0), asked), longestPauseSeconds);

const later = (now: Date, seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();

/**
 * Applies one event to a run and sends what follows from it, and `also`; undefined when the event does not apply.
 * A next attempt begins no sooner than after `pauseSeconds`.
 * What an earlier call could not send any more is sent either way.
 */
export async function applyToRun(
  ports: ApplyPorts,
  project: string,
  run: string,
  event: ReportedEvent,
  cause: Cause,
  { also = [], pauseSeconds = 0 }: { also?: Outgoing[]; pauseSeconds?: number } = {},
): Promise<RunDocument | undefined> {
  const now = ports.clock.now();
  const { stored, changed } = await update(ports.documents, 'runs', project, run, (current) => {
    if (current === undefined) return 'keep';
    const next = transition(current, event);
    if ('rejected' in next) return 'keep';
    const document = { ...current, ...next };
    if (document.state === 'queued' && current.state !== 'queued')
      document.retryAt = later(now, backoffSeconds(document.attempt, pauseSeconds));
    const by = event.kind === 'cancel' ? event.by : null;
    return {
      ...document,
      outbox: [...outboxOf(current), ...followUps(current, document, { now, by }, cause), ...also],
    };
  });
  if (stored === undefined) return undefined;
  await sendOutbox(ports, 'runs', stored);
  return changed ? stored.document : undefined;
}
