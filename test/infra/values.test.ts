/** The compiler hardly checks values, and none against the code: an invented GPU passes it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { settingsOf } from '../../shared/project/settings.ts';
import { trainerJob } from '../../shared/resources.ts';
import { classification } from '../../shared/task/classification/classification.ts';
import { appSettingsOf, at, type Deployment, deployments, infraFile, ofType, resourcesOf } from './templates.ts';

const one = (deployment: Deployment, type: string): unknown => ofType(resourcesOf(deployment), type)[0];

/** https://learn.microsoft.com/azure/container-apps/workload-profiles-overview: name, CPU cores, memory of one container */
const profiles: Record<string, { type: string; cpu: number; memory: string }> = {
  Consumption: { type: 'Consumption', cpu: 4, memory: '8Gi' },
  t4: { type: 'Consumption-GPU-NC8as-T4', cpu: 8, memory: '56Gi' },
  a100: { type: 'Consumption-GPU-NC24-A100', cpu: 24, memory: '220Gi' },
};
const computeOf: Partial<Record<Deployment, keyof typeof profiles>> = {
  'options/cpu': 'Consumption',
  'options/a100': 'a100',
};

test.for(deployments)('%s trains on a machine that exists', (deployment) => {
  const wanted = profiles[computeOf[deployment] ?? 't4'];
  const job = one(deployment, 'Microsoft.App/jobs');
  const named = at(job, 'properties.workloadProfileName');
  const offered = at(one(deployment, 'Microsoft.App/managedEnvironments'), 'properties.workloadProfiles') as object[];
  const profile = offered.find((candidate) => at(candidate, 'name') === named);
  expect(at(profile, 'workloadProfileType')).toBe(wanted?.type);
  // fixed counts would be billed while idle, and are refused for serverless profiles
  expect(Object.keys(profile ?? {}).sort()).toEqual(['name', 'workloadProfileType']);
  const [container] = at(job, 'properties.template.containers') as object[];
  expect(at(container, 'resources')).toEqual({ cpu: wanted?.cpu, memory: wanted?.memory });
  expect(at(container, 'image')).toMatch(/^[\w./-]+@sha256:[0-9a-f]{64}$/);
  expect(at(job, 'name')).toBe(trainerJob);
});

test.for(deployments)(
  'a job of %s may last as long as the settings of a project allow, and is never repeated',
  (deployment) => {
    const job = one(deployment, 'Microsoft.App/jobs');
    const longest = z.toJSONSchema(settingsOf(classification), { io: 'input' });
    expect(at(job, 'properties.configuration.replicaTimeout')).toBe(
      at(longest, 'properties.trainer.properties.timeoutSeconds.maximum'),
    );
    expect(at(job, 'properties.configuration.replicaRetryLimit')).toBe(0);
    expect(at(job, 'properties.configuration.triggerType')).toBe('Manual');
  },
);

/** https://learn.microsoft.com/azure/virtual-machines/sizes: what a cluster may be made of, by the parameter */
const clusterSizes = { cpu: 'Standard_DS3_v2', t4: 'Standard_NC4as_T4_v3', a100: 'Standard_NC24ads_A100_v4' };

test('a cluster of Azure Machine Learning has machines that exist, and none while nothing trains', () => {
  const cluster = one('options/machine-learning', 'Microsoft.MachineLearningServices/workspaces/computes');
  expect(at(cluster, 'properties.properties')).toMatchObject({
    ...{ vmSize: clusterSizes.t4, osType: 'Linux', vmPriority: 'Dedicated' },
    scaleSettings: { minNodeCount: 0, maxNodeCount: 1, nodeIdleTimeBeforeScaleDown: 'PT2M' },
  });
  for (const [machine, size] of Object.entries(clusterSizes))
    expect(infraFile('modules/machine-learning.bicep')).toContain(`${machine}: '${size}'`);
});

test('the app is told of the workspace, the cluster and the image that there are, and of none where there is none', () => {
  const settings = appSettingsOf('options/machine-learning');
  const idOf = (type: string) => (one('options/machine-learning', type) as { id: string }).id;
  expect(settings).toMatchObject({
    AZURE_ML__workspaceId: idOf('Microsoft.MachineLearningServices/workspaces'),
    AZURE_ML__computeId: idOf('Microsoft.MachineLearningServices/workspaces/computes'),
    AZURE_ML__environmentId: idOf('Microsoft.MachineLearningServices/workspaces/environments/versions'),
    AZURE_ML__command: 'node /app/main.mjs',
  });
  const version = one('options/machine-learning', 'Microsoft.MachineLearningServices/workspaces/environments/versions');
  const [container] = at(one('dev', 'Microsoft.App/jobs'), 'properties.template.containers') as object[];
  expect(at(version, 'properties.image')).toBe(at(container, 'image'));
  const told = Object.keys(appSettingsOf('dev')).filter((name) => name.startsWith('AZURE_ML__'));
  expect(told).toEqual([]);
});

test('the line that starts the trainer where Azure Machine Learning runs it starts what its image runs', () => {
  const dockerfile = readFileSync(path.join(import.meta.dirname, '../../trainers/embedded/Dockerfile'), 'utf8');
  const ends = [...dockerfile.matchAll(/^WORKDIR (\/app)$|^ENTRYPOINT \["node", "(main\.mjs)"\]$/gm)].flatMap(
    ([, ...ofLine]) => ofLine.filter(Boolean),
  );
  expect([...new Set(ends)]).toEqual(['/app', 'main.mjs']);
});

test.for(deployments)('%s runs the functions on a plan that costs nothing while idle', (deployment) => {
  expect(at(one(deployment, 'Microsoft.Web/serverfarms'), 'sku')).toEqual({ name: 'FC1', tier: 'FlexConsumption' });
  const config = at(one(deployment, 'Microsoft.Web/sites'), 'properties.functionAppConfig');
  expect(at(config, 'scaleAndConcurrency.alwaysReady')).toEqual([]);
  expect([2048, 4096]).toContain(at(config, 'scaleAndConcurrency.instanceMemoryMB'));
  expect(at(config, 'scaleAndConcurrency.maximumInstanceCount')).toBeGreaterThanOrEqual(1);
  expect(at(config, 'scaleAndConcurrency.maximumInstanceCount')).toBeLessThanOrEqual(1000);
  expect(at(config, 'runtime.name')).toBe('node');
  expect(['22', '24']).toContain(at(config, 'runtime.version'));
});

test('the code runs on the version of Node that is deployed', () => {
  const manifest = JSON.parse(readFileSync(path.join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  const version = at(one('dev', 'Microsoft.Web/sites'), 'properties.functionAppConfig.runtime.version');
  const supported = [...manifest.engines.node.matchAll(/(?:\^|>=)(\d+)\./g)].map(([, major]) => major);
  expect(supported).toContain(version);
});

test.for(deployments)('names in %s are as long as their services allow', (deployment) => {
  const limits: Record<string, RegExp> = {
    'Microsoft.Storage/storageAccounts': /^[a-z0-9]{3,24}$/,
    'Microsoft.ServiceBus/namespaces': /^[a-z][a-z0-9-]{4,48}[a-z0-9]$/,
    'Microsoft.DocumentDB/databaseAccounts': /^[a-z0-9][a-z0-9-]{1,42}[a-z0-9]$/,
    'Microsoft.ContainerRegistry/registries': /^[a-zA-Z0-9]{5,50}$/,
    'Microsoft.KeyVault/vaults': /^[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$/,
    'Microsoft.MachineLearningServices/workspaces': /^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$/,
    'Microsoft.App/jobs': /^[a-z][a-z0-9-]{0,30}[a-z0-9]$/,
    'Microsoft.Web/sites': /^[a-zA-Z0-9-]{2,60}$/,
  };
  for (const resource of resourcesOf(deployment)) {
    const limit = limits[resource.type];
    if (limit !== undefined) expect(resource.name, resource.type).toMatch(limit);
  }
});

test('tiers of Service Bus are what the options say, and Basic for everybody else', () => {
  const tier = (deployment: Deployment) => at(one(deployment, 'Microsoft.ServiceBus/namespaces'), 'sku');
  for (const deployment of deployments.filter((name) => !name.includes('service-bus')))
    expect(tier(deployment), deployment).toEqual({ name: 'Basic', tier: 'Basic' });
  expect(tier('options/service-bus-standard')).toEqual({ name: 'Standard', tier: 'Standard' });
  expect(tier('options/service-bus-premium')).toEqual({ name: 'Premium', tier: 'Premium', capacity: 1 });
});

test('web pages are let in where a deployment names them, and nowhere else', () => {
  const origins = ['https://scans.example.com'];
  for (const deployment of deployments) {
    const wanted = deployment === 'options/browser' ? origins : [];
    const site = one(deployment, 'Microsoft.Web/sites');
    expect(at(site, 'properties.siteConfig.cors')).toEqual({ allowedOrigins: wanted, supportCredentials: false });
    const services = ofType(resourcesOf(deployment), 'Microsoft.Storage/storageAccounts/blobServices');
    for (const service of services) {
      const rules = at(service, 'properties.cors.corsRules') ?? [];
      const isOpen = wanted.length > 0 && service.name.startsWith('stdata');
      expect(rules, service.name).toHaveLength(isOpen ? 1 : 0);
      if (isOpen)
        expect((rules as object[])[0]).toMatchObject({
          allowedOrigins: wanted,
          allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT'],
        });
    }
  }
});

const version = /'(Microsoft\.[\w./]+)@([\w-]+)'/g;

test('a type of resource has one API version in all templates', () => {
  const files = ['main.bicep', 'resources.bicep', ...moduleFiles()];
  const versions = new Map<string, Set<string>>();
  for (const file of files) {
    for (const [, type = '', api = ''] of infraFile(file).matchAll(version))
      versions.set(type, (versions.get(type) ?? new Set()).add(api));
  }
  expect(versions.size).toBeGreaterThan(15);
  for (const [type, used] of versions) expect([...used], type).toHaveLength(1);
});

const moduleFiles = (): string[] =>
  [...infraFile('resources.bicep').matchAll(/'(modules\/[\w-]+\.bicep)'/g)].map(([, file = '']) => file);
