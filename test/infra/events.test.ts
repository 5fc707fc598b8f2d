/** From a written blob to its queue. */
import { expect, test } from 'vitest';
import { blobContainers } from '../../shared/resources.ts';
import { registered } from './registered.ts';
import { at, deployments, leaf, ofType, resourcesOf } from './templates.ts';

test.for(deployments)('%s tells every queue of the blobs that the code wants to be told of', (deployment) => {
  const resources = resourcesOf(deployment);
  const [topic] = ofType(resources, 'Microsoft.EventGrid/systemTopics');
  const accounts = ofType(resources, 'Microsoft.Storage/storageAccounts');
  const data = accounts.find(({ name }) => name.startsWith('stdata'));
  expect(at(topic, 'properties.source')).toBe(data?.id);

  const queueIds = ofType(resources, 'Microsoft.ServiceBus/namespaces/queues').map(({ id }) => id);
  const subscriptions = ofType(resources, 'Microsoft.EventGrid/systemTopics/eventSubscriptions');
  const wanted = Object.entries(blobContainers).filter(([, { events }]) => events !== null);
  expect(subscriptions.map(leaf).sort()).toEqual(wanted.map(([, { events }]) => String(events)).sort());
  for (const [container, { events }] of wanted) {
    const one = subscriptions.find((subscription) => leaf(subscription) === events);
    const properties = (key: string) => at(one, `properties.${key}`);
    expect(properties('eventDeliverySchema')).toBe('CloudEventSchemaV1_0');
    expect(properties('filter')).toEqual({
      // every way of writing a blob, so no filter by API
      includedEventTypes: ['Microsoft.Storage.BlobCreated'],
      // with the slash, or `uploads-archive` would be an upload
      subjectBeginsWith: `/blobServices/default/containers/${container}/blobs/`,
      isSubjectCaseSensitive: true,
    });
    const destination = properties('deliveryWithResourceIdentity.destination');
    expect(at(destination, 'endpointType')).toBe('ServiceBusQueue');
    expect(queueIds, `queue of ${container}`).toContain(at(destination, 'properties.resourceId'));
    expect(at(destination, 'properties.resourceId')).toMatch(new RegExp(`/queues/${events}$`));
    const lost = properties('deadLetterWithResourceIdentity.deadLetterDestination.properties');
    expect(lost).toEqual({ resourceId: data?.id, blobContainerName: 'undelivered' });
    expect(properties('retryPolicy')).toEqual({ maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 });
  }
});

test('every queue of every function is deployed, and every deployed queue has a function and one for its dead letters', () => {
  const deployed = ofType(resourcesOf('dev'), 'Microsoft.ServiceBus/namespaces/queues').map(leaf);
  const taken = Object.values(registered().queueOf);
  for (const name of taken) expect(deployed, `queue ${name}`).toContain(name.replace(/\/\$deadletterqueue$/, ''));
  for (const name of deployed) {
    expect(taken, `queue ${name} has no function`).toContain(name);
    expect(taken, `dead letters of ${name} have no function`).toContain(`${name}/$deadletterqueue`);
  }
});
