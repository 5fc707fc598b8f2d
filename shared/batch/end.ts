/** How a batch ends. */
import type { Cause } from '../delivery/message.ts';
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import { feedEntry } from '../event/feed-entry.ts';
import type { Ports, Stored } from '../ports.ts';
import { update } from '../update.ts';
import type { BatchDocument } from './document.ts';
import { findBatch } from './find.ts';

type EndPorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

/** What becomes of a batch, and who made it so, if a person did. */
export interface BatchEnd {
  state: Exclude<BatchDocument['state'], 'scoring'>;
  failure?: BatchDocument['failure'];
  by?: string;
}

const textOf = ({ id, scored, failed, model }: BatchDocument, { state, failure, by }: BatchEnd): string => {
  const pictures = `${scored + failed} pictures with model ${model.number}`;
  if (state === 'cancelled') return `Batch ${id} was cancelled by ${by ?? 'nobody'} after ${pictures}.`;
  if (state === 'failed') return `Batch ${id} failed after ${pictures}: ${failure?.detail ?? ''}`;
  return `Batch ${id} scored ${pictures}; ${failed} of them have no answer.`;
};

/** Ends a batch unless it has ended; returns it as it is then. Safe to repeat. */
export async function endBatch(
  ports: EndPorts,
  project: string,
  id: string,
  end: BatchEnd,
  cause: Cause,
): Promise<Stored<BatchDocument>> {
  const at = ports.clock.now().toISOString();
  const { stored } = await update(ports.documents, 'batches', project, id, (current) => {
    if (current?.state !== 'scoring') return 'keep';
    const { state, failure = null, by = null } = end;
    const said = { type: `batch.${state}`, subject: `batches/${id}`, text: textOf(current, end), at, by };
    const outbox = [...outboxOf(current), feedEntry(project, said, ['batch', id, state], cause)];
    return { ...current, state, failure, endedAt: at, outbox };
  });
  if (stored !== undefined) await sendOutbox(ports, 'batches', stored);
  return findBatch(ports, project, id);
}
