/** `deployments` -> the endpoint: each message wakes one verb of shared/endpoint. */
import type * as z from 'zod';
import type { queueMessages } from '../shared/delivery/message.ts';
import { checkCanary } from '../shared/endpoint/check-canary.ts';
import { deployModel, type DeployPorts } from '../shared/endpoint/deploy.ts';
import { consume, type QueueFunction } from './consume.ts';

/** Puts models behind endpoints. */
export const deployFunction = (ports: DeployPorts): QueueFunction =>
  consume(ports, 'deployments', 'deploy', (message) => deploy(ports, message));

/** Handles one wake-up of the deployment stage. */
export async function deploy(
  ports: DeployPorts,
  message: z.infer<(typeof queueMessages)['deployments']>,
): Promise<{ outcome: string; reason?: string }> {
  switch (message.type) {
    case 'darkroom.model.approved':
      return deployModel(ports, message);
    case 'darkroom.canary.check':
      return checkCanary(ports, message);
  }
}
