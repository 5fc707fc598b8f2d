/** No keys, no public data, TLS, everything audited and tagged: a new kind of resource has to be judged here first. */
import { expect, test } from 'vitest';
import { at, deployments, infraFile, ofType, resourcesOf } from './templates.ts';

const storage = {
  'properties.allowSharedKeyAccess': false,
  'properties.allowBlobPublicAccess': false,
  'properties.allowCrossTenantReplication': false,
  'properties.defaultToOAuthAuthentication': true,
  'properties.minimumTlsVersion': 'TLS1_2',
  'properties.supportsHttpsTrafficOnly': true,
};
const none = {};
/** What every resource of a type must say. */
const required: Record<string, Record<string, unknown>> = {
  'Microsoft.App/jobs': none,
  'Microsoft.App/managedEnvironments': { 'properties.appLogsConfiguration.destination': 'azure-monitor' },
  'Microsoft.Authorization/roleAssignments': none,
  'Microsoft.Consumption/budgets': none,
  'Microsoft.ContainerRegistry/registries': {
    'properties.adminUserEnabled': false,
    'properties.anonymousPullEnabled': false,
  },
  'Microsoft.DocumentDB/databaseAccounts': {
    'properties.disableLocalAuth': true,
    'properties.disableKeyBasedMetadataWriteAccess': true,
    'properties.minimalTlsVersion': 'Tls12',
    'properties.consistencyPolicy.defaultConsistencyLevel': 'Strong',
    'properties.backupPolicy.type': 'Continuous',
  },
  'Microsoft.DocumentDB/databaseAccounts/sqlDatabases': none,
  'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers': none,
  'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments': none,
  'Microsoft.EventGrid/systemTopics': { 'identity.type': 'SystemAssigned' },
  'Microsoft.EventGrid/systemTopics/eventSubscriptions': {
    'properties.deliveryWithResourceIdentity.identity.type': 'SystemAssigned',
    'properties.deadLetterWithResourceIdentity.identity.type': 'SystemAssigned',
    'properties.destination': undefined,
  },
  'Microsoft.Insights/actionGroups': none,
  'Microsoft.Insights/components': { 'properties.DisableLocalAuth': true },
  'Microsoft.Insights/diagnosticSettings': none,
  'Microsoft.Insights/metricAlerts': none,
  'Microsoft.Insights/scheduledQueryRules': none,
  'Microsoft.Insights/workbooks': none,
  'Microsoft.KeyVault/vaults': {
    'properties.enableRbacAuthorization': true,
    'properties.enableSoftDelete': true,
    'properties.accessPolicies': undefined,
  },
  'Microsoft.MachineLearningServices/workspaces': {
    'identity.type': 'UserAssigned',
    'properties.systemDatastoresAuthMode': 'Identity',
    'properties.hbiWorkspace': true,
    'properties.v1LegacyMode': false,
  },
  'Microsoft.MachineLearningServices/workspaces/computes': {
    'properties.disableLocalAuth': true,
    'properties.properties.remoteLoginPortPublicAccess': 'Disabled',
    'properties.properties.adminUserCredentials': undefined,
  },
  'Microsoft.MachineLearningServices/workspaces/environments': none,
  'Microsoft.MachineLearningServices/workspaces/environments/versions': none,
  'Microsoft.ManagedIdentity/userAssignedIdentities': none,
  'Microsoft.OperationalInsights/workspaces': { 'properties.features.disableLocalAuth': true },
  'Microsoft.Resources/resourceGroups': none,
  'Microsoft.ServiceBus/namespaces': {
    'properties.disableLocalAuth': true,
    'properties.minimumTlsVersion': '1.2',
  },
  'Microsoft.ServiceBus/namespaces/queues': none,
  'Microsoft.Storage/storageAccounts': storage,
  'Microsoft.Storage/storageAccounts/blobServices': { 'properties.deleteRetentionPolicy.enabled': true },
  'Microsoft.Storage/storageAccounts/blobServices/containers': { 'properties.publicAccess': 'None' },
  'Microsoft.Storage/storageAccounts/managementPolicies': none,
  'Microsoft.Web/serverfarms': none,
  'Microsoft.Web/sites': {
    'properties.httpsOnly': true,
    'properties.siteConfig.minTlsVersion': '1.2',
    'properties.functionAppConfig.deployment.storage.authentication.type': 'UserAssignedIdentity',
    'identity.type': 'UserAssigned',
  },
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': { 'properties.allow': false },
  'Microsoft.Web/sites/config': none,
  'Microsoft.Web/sites/extensions': { 'properties.remoteBuild': false },
};

test.for(deployments)('every resource of %s is locked down', (deployment) => {
  for (const resource of resourcesOf(deployment)) {
    const rules = required[resource.type];
    expect(rules, `${resource.type} is new: decide what it must say in this test`).toBeDefined();
    for (const [path, value] of Object.entries(rules ?? {}))
      expect(at(resource, path), `${path} of ${resource.name}`).toEqual(value);
  }
});

test('no template asks a service for its keys', () => {
  expect(infraFile('main.json')).not.toMatch(
    /listKeys|listAccountSas|listServiceSas|listSecrets|primaryKey|connectionStrings/i,
  );
});

/** Audited by diagnostic settings: types and what is logged of them; blobs are logged by their service. */
const audited: Record<string, { of: string; categories: string[] }> = {
  'Microsoft.App/managedEnvironments': { of: '', categories: ['ContainerAppConsoleLogs', 'ContainerAppSystemLogs'] },
  'Microsoft.ContainerRegistry/registries': {
    of: '',
    categories: ['ContainerRegistryLoginEvents', 'ContainerRegistryRepositoryEvents'],
  },
  'Microsoft.DocumentDB/databaseAccounts': { of: '', categories: ['ControlPlaneRequests'] },
  'Microsoft.EventGrid/systemTopics': { of: '', categories: ['DeliveryFailures'] },
  'Microsoft.KeyVault/vaults': { of: '', categories: ['AuditEvent'] },
  'Microsoft.MachineLearningServices/workspaces': {
    of: '',
    categories: ['AmlComputeClusterEvent', 'AmlComputeJobEvent', 'AmlRunStatusChangedEvent'],
  },
  'Microsoft.ServiceBus/namespaces': { of: '', categories: ['OperationalLogs'] },
  'Microsoft.Storage/storageAccounts': { of: '/blobServices/default', categories: ['StorageDelete'] },
};
/** Everything else that stores or does something, and where its trace is. */
const otherwiseTraced = new Set([
  'Microsoft.Web/sites', // by Application Insights
  'Microsoft.App/jobs', // by the environment it runs in
]);

test.for(deployments)('%s sends an audit log of every service to its workspace', (deployment) => {
  const resources = resourcesOf(deployment);
  const settings = ofType(resources, 'Microsoft.Insights/diagnosticSettings');
  for (const resource of resources) {
    const rule = audited[resource.type];
    if (rule === undefined) continue;
    const target = `${resource.id}${rule.of}/providers/Microsoft.Insights/diagnosticSettings/`;
    const found = settings.filter(({ id }) => id.startsWith(target));
    expect(found, `${resource.name} has no diagnostic settings`).toHaveLength(1);
    const logs = at(found[0], 'properties.logs') as { category: string; enabled: boolean }[];
    const on = logs.filter(({ enabled }) => enabled).map(({ category }) => category);
    for (const category of rule.categories) expect(on, resource.name).toContain(category);
    expect(at(found[0], 'properties.workspaceId'), resource.name).toMatch(/\/workspaces\/log-\w+$/);
  }
  const services = resources.filter(({ type }) => /\/(sites|jobs)$/.test(type)).map(({ type }) => type);
  expect(services.every((type) => otherwiseTraced.has(type))).toBe(true);
});

test('prod logs who reads a scan, dev does not pay for it', () => {
  const reads = (deployment: 'dev' | 'prod') =>
    ofType(resourcesOf(deployment), 'Microsoft.Insights/diagnosticSettings')
      .filter(({ id }) => id.includes('/stdata'))
      .flatMap((one) => at(one, 'properties.logs') as { category: string; enabled: boolean }[])
      .filter(({ category }) => category === 'StorageRead')
      .map(({ enabled }) => enabled);
  expect(reads('prod')).toEqual([true]);
  expect(reads('dev')).toEqual([false]);
});

test.for(deployments)('every resource of %s that takes tags has those of its environment', (deployment) => {
  const children =
    /\/(blobServices|environments|versions|containers|queues|sqlDatabases|managementPolicies|eventSubscriptions|config|extensions|basicPublishingCredentialsPolicies|roleAssignments|sqlRoleAssignments|diagnosticSettings|budgets)$/;
  for (const { type, name, ...resource } of resourcesOf(deployment)) {
    if (children.test(type)) continue;
    expect(resource['tags'], `${type} ${name}`).toMatchObject({
      application: 'darkroom',
      'azd-env-name': deployment.includes('/') ? 'option' : deployment,
    });
  }
});
