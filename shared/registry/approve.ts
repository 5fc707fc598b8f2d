/** The message by which an approved model asks for its deployment. */
import type * as z from 'zod';
import type { Outgoing } from '../documents.ts';
import { type Cause, compose, type modelApproved } from '../message.ts';

/** `deployment` is an id given by the cause: the same one asked twice deploys once. */
export function approval(project: string, model: number, deployment: string, cause: Cause): Outgoing {
  const data = { project, model, deployment };
  const message = compose<z.infer<typeof modelApproved>>(
    'darkroom.model.approved',
    `${project}/${deployment}`,
    data,
    cause,
  );
  return { to: 'queue', queue: 'deployments', message };
}
