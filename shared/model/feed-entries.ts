/** What the feed says of a model. */
import type { Outgoing } from '../delivery/document.ts';
import type { Cause } from '../delivery/message.ts';
import { feedEntry } from '../event/feed-entry.ts';
import type { ModelDocument } from './document.ts';

/** The feed entry by which a model that passed the gate asks a person for what it waits for; none when it waits for nobody. */
export function waitsForPerson(
  { pk: project, number, state }: Pick<ModelDocument, 'pk' | 'number' | 'state'>,
  deployMode: 'automatic' | 'manual',
  at: string,
  cause: Pick<Cause, 'id'>,
): Outgoing[] {
  const wanted =
    state === 'candidate'
      ? `to be approved or rejected: POST .../models/${number}/approve or /reject`
      : state === 'approved' && deployMode === 'manual'
        ? `to be deployed: POST .../endpoint/deploy with {"model":${number}}`
        : null;
  if (wanted === null) return [];
  const said = {
    type: 'model.waiting',
    subject: `models/${number}`,
    text: `Model ${number} waits ${wanted}.`,
    at,
    by: null,
  };
  return [feedEntry(project, said, ['model.waiting', String(number), state], cause)];
}
