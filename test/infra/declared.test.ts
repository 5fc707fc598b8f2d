import { expect, test } from 'vitest';
import { generatedFiles } from '../../infra/declared.ts';
import { blobContainers, databaseName, documentContainers, queues } from '../../shared/resources.ts';
import { at, deployments, infraFile, leaf, ofType, resourcesOf } from './templates.ts';

test.for(Object.entries(generatedFiles()))('infra/%s is what the code declares', ([name, text]) => {
  expect(infraFile(name), `infra/${name} is stale: run \`npm run infra:generate\` and commit what it writes`).toBe(
    text,
  );
});

test.for(deployments)('%s has exactly the queues of the code, with the same settings', (deployment) => {
  const deployed = ofType(resourcesOf(deployment), 'Microsoft.ServiceBus/namespaces/queues');
  expect(deployed.map(leaf).sort()).toEqual(Object.keys(queues).sort());
  for (const queue of deployed) {
    const declared = queues[leaf(queue) as keyof typeof queues];
    expect(queue['properties'], `queue ${leaf(queue)}`).toEqual({
      lockDuration: `PT${declared.lockSeconds}S`,
      maxDeliveryCount: declared.maxDeliveryCount,
      defaultMessageTimeToLive: 'P14D',
      deadLetteringOnMessageExpiration: true,
      requiresSession: false,
      requiresDuplicateDetection: false,
      enablePartitioning: false,
    });
  }
});

test.for(deployments)('%s has exactly the blob containers of the code, none of them public', (deployment) => {
  const deployed = ofType(resourcesOf(deployment), 'Microsoft.Storage/storageAccounts/blobServices/containers');
  const ofData = deployed.filter(({ name }) => name.startsWith('stdata'));
  expect(ofData.map(leaf).sort()).toEqual(Object.keys(blobContainers).sort());
  for (const container of deployed) expect(at(container, 'properties.publicAccess'), leaf(container)).toBe('None');
});

test.for(deployments)('%s lets blobs expire when the code says so, and no others', (deployment) => {
  const [policy] = ofType(resourcesOf(deployment), 'Microsoft.Storage/storageAccounts/managementPolicies');
  const rules = at(policy, 'properties.policy.rules') as object[];
  const found = rules.map((rule) => [
    at(rule, 'definition.filters.prefixMatch'),
    at(rule, 'definition.actions'),
    at(rule, 'enabled'),
  ]);
  const declared = Object.entries(blobContainers).flatMap(([name, { expiresAfterDays: days }]) =>
    days === null ? [] : [[[`${name}/`], { baseBlob: { delete: { daysAfterModificationGreaterThan: days } } }, true]],
  );
  expect(found).toEqual(declared);
});

test.for(deployments)('%s has exactly the document containers of the code', (deployment) => {
  const resources = resourcesOf(deployment);
  const database = 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases';
  expect(ofType(resources, database).map(leaf)).toEqual([databaseName]);
  const deployed = ofType(resources, `${database}/containers`);
  expect(deployed.map(leaf).sort()).toEqual(Object.keys(documentContainers).sort());
  for (const container of deployed) {
    const name = leaf(container);
    const declared = documentContainers[name as keyof typeof documentContainers];
    expect(at(container, 'properties.resource'), `container ${name}`).toEqual({
      id: name,
      partitionKey: { paths: [declared.partitionKey], kind: 'Hash', version: 2 },
      indexingPolicy: {
        indexingMode: 'consistent',
        automatic: true,
        includedPaths: ['pk', ...declared.indexed].map((field) => ({ path: `/${field.replace('.', '/')}/?` })),
        excludedPaths: [{ path: '/*' }],
        compositeIndexes: declared.orders.map((field) =>
          [field, 'id'].map((name) => ({ path: `/${name}`, order: 'ascending' })),
        ),
      },
      ...(declared.ttlSeconds === null ? {} : { defaultTtl: declared.ttlSeconds }),
    });
  }
});
