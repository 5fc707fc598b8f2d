/** The message by which a model goes on. */
import type * as z from 'zod';
import type { Outgoing } from '../delivery/document.ts';
import type { Cause, modelApproved } from '../delivery/message.ts';
import { compose } from '../delivery/compose.ts';

/**
 * A model is approved, and is to be deployed. `deployment` is an id given by the cause: the same one asked twice deploys once. With `seenRevision` only an endpoint
 * that is still at that revision is changed.
 */
export function approved(
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
