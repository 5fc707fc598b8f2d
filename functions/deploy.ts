/** `deployments`: a message is an approved model, or the next look at a canary. */
import { deploy, type DeployPorts } from '../shared/endpoint/deploy.ts';
import { consume, type QueueFunction } from './consume.ts';

/** Puts models behind endpoints. */
export const deployFunction = (ports: DeployPorts): QueueFunction =>
  consume(ports, 'deployments', 'deploy', (message) => deploy(ports, message));
