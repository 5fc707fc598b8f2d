/** Who may do what: exactly these assignments, each at the narrowest scope that does. */
import { expect, test } from 'vitest';
import type { Resource } from '../../infra/compiler/snapshot.ts';
import { blobContainers, databaseName, queueNames } from '../../shared/resources.ts';
import { at, type Deployment, deployments, infraFile, ofType, resourcesOf } from './templates.ts';

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const roleNames: Record<string, string> = {
  '7f951dda-4ed3-4680-a7ca-43fe172d538d': 'AcrPull',
  'b78c5d69-af96-48a3-bf8d-a8b4d589de94': 'Azure AI Administrator',
  'f6c7c914-8db3-469d-8ca1-694a8f32e121': 'AzureML Data Scientist',
  'ae349356-3a1b-4a5e-921d-050484c6347e': 'Application Insights Component Contributor',
  '17d1049b-9a84-46fb-8f53-869881c3d3ab': 'Storage Account Contributor',
  '00482a5a-887f-4fb3-b363-3b7fe8e74483': 'Key Vault Administrator',
  'f25e0fa2-a7c8-4377-a976-54943a77a395': 'Key Vault Contributor',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1': 'Storage Blob Data Reader',
  'db58b8e5-c6ad-4a2a-8342-4190687cbf4a': 'Storage Blob Delegator',
  'b9a307c4-5aa3-4b52-ba60-2b17c136cd7b': 'Container Apps Jobs Operator',
  '73c42c96-874c-492b-b04d-ab87d138a893': 'Log Analytics Reader',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
  '090c5cfd-751d-490a-894a-3ce6f1109419': 'Service Bus Data Owner',
  '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0': 'Service Bus Data Receiver',
  '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39': 'Service Bus Data Sender',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  'b279062a-9be3-42a0-92ae-8b3cf002ec4d': 'Workbook Reader',
  '00000000-0000-0000-0000-000000000001': 'Cosmos DB Built-in Data Reader',
  '00000000-0000-0000-0000-000000000002': 'Cosmos DB Built-in Data Contributor',
};

const unique = /-?[a-z0-9]{13}(?=\/|$)/g;

/** `.../storageAccounts/stdata1234567890abc/blobServices/default/containers/uploads` -> `stdata/uploads` */
function scopeOf(id: string): string {
  const path = id.split('/providers/').at(-1) ?? '';
  const names = path.split('/').slice(1);
  return names
    .filter((_part, i) => i % 2 === 1)
    .filter((part) => part !== 'default')
    .join('/')
    .replace(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'workbook')
    .replace(unique, '');
}

/** Who: the function app, the topic of storage events, the puller of images, a workspace, or a person by object id. */
function principalOf(assignment: Resource): string {
  const principal = String(at(assignment, 'properties.principalId'));
  if (principal.includes('.outputs.appPrincipalId')) return 'app';
  if (principal.includes('/systemTopics/')) return 'topic';
  if (principal.includes('/id-pull-')) return 'puller';
  if (principal.includes('/id-ml-')) return 'workspace';
  return principal;
}

/** `app: Service Bus Data Sender on sb/deployments`, for every assignment. */
function assignmentsOf(deployment: Deployment): string[] {
  const resources = resourcesOf(deployment);
  const arm = ofType(resources, 'Microsoft.Authorization/roleAssignments').map((one) => {
    const scope = one.id.replace(/\/providers\/Microsoft\.Authorization\/roleAssignments\/[0-9a-f-]+$/, '');
    return [one, scopeOf(scope)] as const;
  });
  const cosmos = ofType(resources, 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments').map((one) => {
    return [one, String(at(one, 'properties.scope')).replace(/^.*(?=\/dbs\/)/, '')] as const;
  });
  return [...arm, ...cosmos]
    .map(([one, scope]) => {
      const role = String(at(one, 'properties.roleDefinitionId')).split('/').at(-1) ?? '';
      return `${principalOf(one)}: ${roleNames[role] ?? `role ${role}, which this test does not know`} on ${scope}`;
    })
    .sort();
}

const onQueues = queueNames.flatMap((name) => [
  `app: Service Bus Data Receiver on sb/${name}`,
  `app: Service Bus Data Sender on sb/${name}`,
]);
/** whoever shall see how long a queue is has to own it */
const ownsQueues = queueNames.map((name) => `app: Service Bus Data Owner on sb/${name}`);
const ofApp = [
  'app: Storage Blob Data Owner on sthost',
  'app: Storage Table Data Contributor on sthost',
  'app: Storage Blob Delegator on stdata',
  ...Object.keys(blobContainers).map((name) => `app: Storage Blob Data Contributor on stdata/${name}`),
  `app: Cosmos DB Built-in Data Contributor on /dbs/${databaseName}`,
  'app: Container Apps Jobs Operator on trainer',
  'app: Monitoring Metrics Publisher on appi',
];
const ofTopic = [
  'topic: Storage Blob Data Contributor on stdata/undelivered',
  ...Object.values(blobContainers).flatMap(({ events }) =>
    events === null ? [] : [`topic: Service Bus Data Sender on sb/${events}`],
  ),
];
const person = '11111111-1111-1111-1111-111111111111';
const ofPerson = [
  `${person}: Storage Blob Data Reader on stdata`,
  `${person}: Storage Blob Data Contributor on sthost/releases`,
  `${person}: Log Analytics Reader on log`,
  `${person}: Log Analytics Reader on appi`,
  `${person}: Workbook Reader on workbook`,
  `${person}: Cosmos DB Built-in Data Reader on /dbs/${databaseName}`,
  `${person}: Cosmos DB Built-in Data Contributor on /dbs/${databaseName}/colls/keys`,
];
const more: Partial<Record<Deployment, string[]>> = {
  'options/registry': ['puller: AcrPull on cr'],
  'options/machine-learning': [
    'puller: AcrPull on cr',
    'app: AzureML Data Scientist on mlw',
    'workspace: Azure AI Administrator on mlw',
    'workspace: Application Insights Component Contributor on appi',
    'workspace: Storage Account Contributor on stml',
    'workspace: Storage Blob Data Contributor on stml',
    'workspace: Key Vault Administrator on kv',
    'workspace: Key Vault Contributor on kv',
  ],
  'options/people': ofPerson,
  main: ofPerson,
};

test.for(deployments)('%s assigns exactly the roles that are needed', (deployment) => {
  const queueRights = deployment === 'options/queue-scaling' ? ownsQueues : onQueues;
  expect(assignmentsOf(deployment)).toEqual([...ofApp, ...queueRights, ...ofTopic, ...(more[deployment] ?? [])].sort());
});

test.for(deployments)('what a training job runs in %s has no identity it could use', (deployment) => {
  const [job] = ofType(resourcesOf(deployment), 'Microsoft.App/jobs');
  const identities = at(job, 'properties.configuration.identitySettings') as { lifecycle: string }[];
  if (at(job, 'identity.type') === 'None') expect(identities).toEqual([]);
  else expect(identities.map(({ lifecycle }) => lifecycle)).toEqual(['None']);
  expect(at(job, 'properties.configuration.secrets')).toBeUndefined();
});

test('machines of Azure Machine Learning are nobody, or who pulls the image and nothing else', () => {
  const all = resourcesOf('options/machine-learning');
  const [cluster] = ofType(all, 'Microsoft.MachineLearningServices/workspaces/computes');
  const identities = Object.keys((at(cluster, 'identity.userAssignedIdentities') ?? {}) as object);
  expect(identities.map((id) => id.replace(/^.*\/(id-\w+)-\w+$/, '$1'))).toEqual(['id-pull']);
  expect(infraFile('modules/machine-learning.bicep')).toContain(": { type: 'None' }");
});
