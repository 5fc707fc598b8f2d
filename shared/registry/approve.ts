/** The message by which an approved model asks for its deployment. */
import type * as z from 'zod';
import type { Outgoing } from '../documents.ts';
import { type Cause, compose, type modelApproved } from '../message.ts';

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
