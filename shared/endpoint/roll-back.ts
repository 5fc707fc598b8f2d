/** Rolling an endpoint back, never to a model that was rolled back or rejected since it was live. */
import type { EndpointDocument } from './document.ts';
import type { Cause } from '../delivery/message.ts';
import type { Ports, Stored } from '../ports.ts';
import { modelId } from '../model/register.ts';
import { applyToEndpoint } from './apply.ts';
import type { EndpointEvent } from './endpoint.ts';
import { rollbackTarget } from './rollback-target.ts';

/**
 * Returns the endpoint to the model before, if it is still as it was `seen`: 'changed' when it is not, undefined when
 * this rollback was done before or nothing is left to return to (`whyNoRollback`).
 */
export async function rollBack(
  ports: Pick<Ports, 'documents' | 'messages'>,
  seen: Stored<EndpointDocument>,
  rollback: Omit<Extract<EndpointEvent, { kind: 'rollback' }>, 'kind' | 'rejected'>,
  cause: Cause,
): Promise<EndpointDocument | 'changed' | undefined> {
  const rejected = await rejectedOnTheWay(ports, seen.document);
  return applyToEndpoint(ports, seen.document.pk, { kind: 'rollback', ...rollback, rejected }, cause, seen.etag);
}

/** Models that a rollback has to pass over; a model that serves cannot be rejected, one that served before can. */
async function rejectedOnTheWay(ports: Pick<Ports, 'documents'>, endpoint: EndpointDocument): Promise<number[]> {
  const rejected: number[] = [];
  for (let left = endpoint.history.length + 1; left > 0; left--) {
    const target = rollbackTarget(endpoint, rejected);
    if (target === null) break;
    const model = (await ports.documents.read('models', endpoint.pk, modelId(target.model)))?.document;
    if (model?.state !== 'rejected') break;
    rejected.push(target.model);
  }
  return rejected;
}

/** Why no rollback is left, and what to do instead, in sentences. */
export function whyNoRollback({ production, canary, history }: EndpointDocument): string {
  const served = new Set(history.filter(({ state }) => state === 'live').map(({ model }) => model));
  const passedOver = [...served].filter((model) => model !== production?.model).sort((a, b) => a - b);
  const none =
    passedOver.length === 0
      ? 'There is no earlier model to return to.'
      : `There is no earlier model to return to: a rollback never leads to a model that was rolled back or rejected since it was live (${passedOver.join(', ')}). To have one of them again, deploy it.`;
  return canary === null ? none : `${none} Deploy the live model with If-Match to end the trial of the canary.`;
}
