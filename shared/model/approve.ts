/** The message by which an approved model asks for its deployment. */
import type * as z from 'zod';
import type { ModelDocument } from './document.ts';
import type { Outgoing } from '../delivery/document.ts';
import { feedEntry } from '../event/feed-entry.ts';
import type { Cause, modelApproved } from '../delivery/message.ts';
import { compose } from '../delivery/compose.ts';

/**
 * `deployment` is an id given by the cause: the same one asked twice deploys once. With `seenRevision` only an endpoint
 * that is still at that revision is changed.
 */
export function approval(
  project: string,
  model: number,
  deployment: string,
  cause: Cause,
  seenRevision?: number,
): Outgoing {
  const data = { project, model, deployment, ...(seenRevision === undefined ? {} : { seenRevision }) };
  const message = compose<z.infer<typeof modelApproved>>(
    'darkroom.model.approved',
    `${project}/${deployment}`,
    data,
    cause,
  );
  return { to: 'queue', queue: 'deployments', message };
}

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
  const told = {
    type: 'model.waiting',
    subject: `models/${number}`,
    text: `Model ${number} waits ${wanted}.`,
    at,
    by: null,
  };
  return [feedEntry(project, told, ['model.waiting', String(number), state], cause)];
}
