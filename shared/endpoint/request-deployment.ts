/** Asking for the deployment of a model version. */
import type { Cause } from '../delivery/message.ts';
import { digestOf } from '../digest.ts';
import { TerminalError } from '../errors.ts';
import { approved } from '../model/messages.ts';
import { findModel } from '../model/find.ts';
import type { Ports } from '../ports.ts';
import { assertSeen, type Seen } from '../precondition.ts';
import { findProject } from '../project/find.ts';

export interface DeploymentRequest {
  project: string;
  /** number of the model version */
  model: number;
  /** the endpoint that whoever asks has seen; the message is for that revision alone */
  seen: Seen;
  /** asked again with the same one, it is the same deployment */
  idempotencyKey: string | undefined;
}

/**
 * Sends the message by which an approved model version gets behind the endpoint; resolves to the id of the deployment.
 * Throws a TerminalError for a model that is not approved, and where the endpoint changed since it was seen.
 */
export async function requestDeployment(
  ports: Pick<Ports, 'documents' | 'messages' | 'ids'>,
  { project: name, model: number, seen, idempotencyKey }: DeploymentRequest,
  cause: Cause,
): Promise<string> {
  const { document: project } = await findProject(ports, name);
  const { document: model } = await findModel(ports, project.id, number);
  if (model.state !== 'approved') {
    const detail = `Model ${model.number} is ${model.state}. Approve it first.`;
    throw new TerminalError('model-not-approved', detail, 'model');
  }
  const endpoint = await ports.documents.read('endpoints', project.id, 'endpoint');
  const deployment = `o-${digestOf(24, project.id, 'deploy', idempotencyKey ?? ports.ids.next())}`;
  const isRepetition = endpoint?.document.handled.includes(deployment) === true;
  if (seen !== undefined && !isRepetition) assertSeen(seen, endpoint?.etag ?? '');
  const revision = seen === undefined || seen === '*' ? undefined : (endpoint?.document.revision ?? 0);
  const asked = approved(project.id, model.number, deployment, cause, revision);
  if (asked.to === 'queue') await ports.messages.send(asked.queue, [asked.message]);
  return deployment;
}
