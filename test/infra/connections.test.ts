/** How many connections to Service Bus an app that has grown as far as it may holds, against what its tier takes. */
import { expect, test } from 'vitest';
import { registered } from './registered.ts';
import { at, type Deployment, deployments, infraFile, ofType, resourcesOf } from './templates.ts';

/** https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas */
const connectionsOf: Record<string, number> = { Basic: 100, Standard: 1000 };

/**
 * The host of an instance receives for one function over one connection, and the process sends over another
 * (test/contract/service-bus-connections.test.ts). Every function that is woken by a queue, the timer, and all HTTP together are
 * groups that grow on their own; a timer runs on one instance.
 */
function connections(instances: number): number {
  const { queueOf, http } = registered();
  const queues = Object.values(queueOf);
  const deadLetters = queues.filter((queue) => queue.endsWith('/$deadletterqueue'));
  expect(queues).toHaveLength(12);
  expect(http.length).toBeGreaterThan(0);
  const [receives, sends] = [1, 1];
  const ofHandlers = (queues.length - deadLetters.length) * (receives + sends);
  // these record what they get (recordDeadLetter has no port that sends)
  const ofDeadLetters = deadLetters.length * receives;
  return instances * (ofHandlers + ofDeadLetters + sends) + sends;
}

const one = (deployment: Deployment, type: string): unknown => ofType(resourcesOf(deployment), type)[0];
const tierOf = (deployment: Deployment) => String(at(one(deployment, 'Microsoft.ServiceBus/namespaces'), 'sku.name'));
const instancesOf = (deployment: Deployment) =>
  Number(
    at(one(deployment, 'Microsoft.Web/sites'), 'properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount'),
  );

test('four instances of each group hold 77 connections, five would hold 96', () => {
  expect([connections(4), connections(5)]).toEqual([77, 96]);
});

test.for(deployments)('%s leaves a fifth of the connections, or eight in a hundred, to the platform', (deployment) => {
  const tier = tierOf(deployment);
  if (tier === 'Premium') return;
  const spare = tier === 'Basic' ? 0.2 : 0.08;
  expect(connections(instancesOf(deployment))).toBeLessThanOrEqual((connectionsOf[tier] ?? 0) * (1 - spare));
});

test('more instances than a tier has connections for are refused before anything is deployed', () => {
  const template = infraFile('main.json');
  expect(template).toContain('maximumInstances is more than serviceBusTier has connections for');
  expect(template).toContain(`"value": "[if(equals(parameters('tier'), 'Basic'), 80, 920)]"`);
  expect(template).toMatch(/fittingInstances\(parameters\('maximumInstances'\), parameters\('serviceBusTier'\)/);
  expect(connections(48)).toBeLessThanOrEqual(920);
});
