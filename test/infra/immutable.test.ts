/** What Azure cannot change once it exists: a template that asks for it fails when it is deployed, or deletes data. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { at, resourcesOf } from './templates.ts';

const file = path.join(import.meta.dirname, 'immutable.json');
const known = z.record(z.string(), z.record(z.string(), z.unknown())).parse(JSON.parse(readFileSync(file, 'utf8')));

/** What is fixed by type, and what to do instead of changing it. */
const immutable: Record<string, { paths: string[]; instead: string }> = {
  'Microsoft.DocumentDB/databaseAccounts': {
    paths: ['kind', 'properties.capabilities', 'properties.locations', 'properties.backupPolicy.type'],
    instead:
      'make a second account, copy its containers (Azure Cosmos DB container copy), then point COSMOS__accountEndpoint at it',
  },
  'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers': {
    paths: ['properties.resource.id', 'properties.resource.partitionKey'],
    instead:
      'declare a container with another name in shared/resources.ts, let a release write to both, copy what is old (Azure Cosmos DB container copy), and drop the old one a release later',
  },
  'Microsoft.ServiceBus/namespaces/queues': {
    paths: ['properties.requiresSession', 'properties.requiresDuplicateDetection', 'properties.enablePartitioning'],
    instead:
      'declare a queue with another name, let its function read both until the old one is empty, and drop the old one a release later',
  },
  'Microsoft.Storage/storageAccounts': {
    paths: ['kind', 'properties.isHnsEnabled'],
    instead: 'make a second account and copy the containers (azcopy), then point BLOB__serviceUri at it',
  },
  'Microsoft.Web/serverfarms': {
    paths: ['sku', 'kind'],
    instead: 'deploy a second function app beside this one and take the old one away when its queues are empty',
  },
  'Microsoft.EventGrid/systemTopics': {
    paths: ['properties.topicType'],
    instead:
      'delete the topic in a quiet moment: what is uploaded meanwhile is told to nobody and has to be uploaded again',
  },
};

const stable = (name: string): string => name.replace(/-?[a-z0-9]{13}(?=\/|$)/, '');

/** Immutable properties of dev, by type and name without the environment's suffix. */
function current(): Record<string, Record<string, unknown>> {
  const found: Record<string, Record<string, unknown>> = {};
  for (const resource of resourcesOf('dev')) {
    const rule = immutable[resource.type];
    if (rule === undefined) continue;
    const values = rule.paths.map((one) => [one, at(resource, one) ?? null] as const);
    found[`${resource.type} ${stable(resource.name)}`] = Object.fromEntries(values);
  }
  return found;
}

test('nothing changes that Azure cannot change', () => {
  for (const [name, values] of Object.entries(current())) {
    const before = known[name];
    const type = name.split(' ')[0] ?? '';
    expect(
      before,
      `${name} is new: add to test/infra/immutable.json "${name}": ${JSON.stringify(values)}`,
    ).toBeDefined();
    for (const [property, value] of Object.entries(values)) {
      const advice = `${property} of ${name} cannot be changed in place. Instead, ${immutable[type]?.instead}.`;
      expect(value, advice).toEqual(before?.[property]);
    }
  }
});

test('what disappears from the templates is said to disappear', () => {
  const gone = Object.keys(known).filter((name) => !(name in current()));
  const advice =
    'A deployment leaves these resources where they are, with their data. Delete them by hand when nothing reads them any more, then remove them from test/infra/immutable.json.';
  expect(gone, advice).toEqual([]);
});

test('names of resources are as they were, or a deployment makes empty ones beside the full ones', () => {
  const prefixes = resourcesOf('dev')
    .filter(({ name }) => /^[a-z-]+[a-z0-9]{13}$/.test(name))
    .map(({ name }) => name.slice(0, -13));
  expect([...new Set(prefixes)].sort()).toEqual(
    ['ag-', 'appi-', 'cae-', 'cosmos-', 'evgt-', 'func-', 'id-app-', 'log-', 'plan-', 'sb-', 'stdata', 'sthost'].sort(),
  );
});
