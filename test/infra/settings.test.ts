import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { quiet } from '../../local/app-settings.ts';
import { readConfig, settingNames } from '../../shared/config.ts';
import { maxRequestBytes, sweepSchedule } from '../../shared/resources.ts';
import { appSettingsOf, at, deployments, evaluated, ofType, resourcesOf } from './templates.ts';

/** Read by the code, and deliberately never set in Azure. */
const absent: Record<string, string> = {
  SERVICEBUS: 'a connection string is a secret; the identity is used',
  COSMOS__accountKey: 'a secret; the identity is used',
  BLOB__accountName: 'belongs to the key',
  BLOB__accountKey: 'a secret; the identity is used',
  COMPUTE__accessToken: 'a secret; the identity is used',
  COMPUTE__endpoint: 'the default is Azure',
};

/** Read by the code, and set by the parameter `appSettings` where the default does not do. */
const optional: Record<string, string> = {
  PUBLIC_URL: 'links need no host',
  RATE_LIMIT_KEY_PER_SECOND: 'the default is for everybody',
  RATE_LIMIT_KEY_BURST: 'the default is for everybody',
  RATE_LIMIT_PROJECT_PER_SECOND: 'the default is for everybody',
  RATE_LIMIT_PROJECT_BURST: 'the default is for everybody',
  REDELIVERY_FIRST_SECONDS: 'the default suits outages of minutes and hours; tests have less time',
};

/** Read by the code, and set where the environment has a workspace of Azure Machine Learning. */
const ofMachineLearning = settingNames.filter((name) => name.startsWith('AZURE_ML__'));

/** Read by the functions host, which knows `<connection>__` for every connection that a trigger names. */
const hostSettings = [
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__tableServiceUri',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'AzureWebJobsDisableHomepage',
  'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
  // read by the C library of the process
  'MALLOC_MMAP_THRESHOLD_',
];
const connectionParts = ['fullyQualifiedNamespace', 'credential', 'clientId'];

function sources(folder: string): string {
  const root = path.join(import.meta.dirname, '..', '..', folder);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.map((file) => readFileSync(path.join(root, file), 'utf8')).join('\n');
}

const app = sources('functions');
/** `%NAME%` in a trigger is an app setting */
const inTriggers = [...app.matchAll(/%([A-Z][A-Z0-9_]*)%/g)].map(([, name = '']) => name);
const connections = [...app.matchAll(/connection(?: =|:) '([A-Z]+)'/g)].map(([, name = '']) => name);
const ofConnections = connections.flatMap((name) => connectionParts.map((part) => `${name}__${part}`));

test('triggers name the settings that this test believes they name', () => {
  expect(inTriggers).toEqual(['SWEEP_SCHEDULE']);
  expect(connections).toEqual(['SERVICEBUS']);
});

test('the process reads its environment in shared/config.ts alone', () => {
  const readers = `${app}\n${sources('shared')}`.matchAll(/process\.env\[?'?\.?([A-Za-z_]+)/g);
  const names = new Set([...readers].map(([, name = '']) => name));
  // these are set for dependencies that would report on themselves; PATH is handed to a child process
  const known = /^(PATH|ORT_DISABLE_TELEMETRY|APPLICATION_?INSIGHTS_\w+|OTEL_\w+)$/;
  expect([...names].filter((name) => !known.test(name))).toEqual([]);
});

test.for(deployments)('%s sets everything that code and host read', (deployment) => {
  const set = Object.keys(appSettingsOf(deployment));
  const wanted = [...settingNames, ...inTriggers, ...ofConnections, ...hostSettings];
  const missing = [...new Set(wanted)].filter(
    (name) => !set.includes(name) && !(name in absent || name in optional || ofMachineLearning.includes(name)),
  );
  expect(missing, 'add these to infra/modules/functions.bicep').toEqual([]);
});

test.for(deployments)('%s sets nothing that nobody reads', (deployment) => {
  const read = new Set([...settingNames, ...inTriggers, ...ofConnections, ...hostSettings, ...Object.keys(quiet)]);
  const unused = Object.keys(appSettingsOf(deployment)).filter((name) => !read.has(name));
  expect(unused, 'remove these from infra/modules/functions.bicep').toEqual([]);
});

test.for(deployments)('nothing that %s runs reports on itself to anybody', (deployment) => {
  expect(appSettingsOf(deployment)).toMatchObject(quiet);
  const [job] = ofType(resourcesOf(deployment), 'Microsoft.App/jobs');
  const [container] = at(job, 'properties.template.containers') as object[];
  // a trainer has no Application Insights
  expect(at(container, 'env')).toEqual([{ name: 'ORT_DISABLE_TELEMETRY', value: quiet.ORT_DISABLE_TELEMETRY }]);
});

test.for(deployments)('%s has no secret among its settings', (deployment) => {
  for (const [name, value] of Object.entries(appSettingsOf(deployment))) {
    expect(Object.keys(absent), name).not.toContain(name);
    expect(value, name).not.toMatch(/accountkey=|sharedaccess|[?&]sig=|password|listkeys|^[A-Za-z0-9+/]{40,}={0,2}$/i);
  }
});

test.for(deployments)('the code takes the settings of %s', (deployment) => {
  const config = readConfig(evaluated(appSettingsOf(deployment)));
  expect(config.serviceBus).toEqual({
    fullyQualifiedNamespace: expect.stringMatching(/^sb-\w+\.servicebus\.windows\.net$/) as unknown,
  });
  expect(config.blob).toEqual({
    serviceUri: expect.stringMatching(/^https:\/\/stdata\w+\.blob\.core\.windows\.net$/) as unknown,
    accountName: undefined,
    accountKey: undefined,
  });
  expect(config.cosmos.endpoint).toMatch(/^https:\/\/cosmos-\w+\.documents\.azure\.com$/);
  expect(config.compute.jobId).toMatch(
    /^\/subscriptions\/[0-9a-f-]+\/resourceGroups\/[\w-]+\/providers\/Microsoft\.App\/jobs\/trainer$/,
  );
  expect(config.identityClientId).toBe('known-when-deployed');
});

test.for(deployments)('%s runs the sweep as the code declares', (deployment) => {
  expect(appSettingsOf(deployment)['SWEEP_SCHEDULE']).toBe(sweepSchedule);
});

test.for(deployments)('%s takes bodies as large as the code does', (deployment) => {
  expect(appSettingsOf(deployment)['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT']).toBe(String(maxRequestBytes));
});

test('further settings reach the app, and replace none that it needs', () => {
  const given = appSettingsOf('options/browser');
  expect(given).toMatchObject({ RATE_LIMIT_KEY_PER_SECOND: '200', RATE_LIMIT_KEY_BURST: '600' });
  const usual = appSettingsOf('options/cpu');
  for (const [name, value] of Object.entries(usual)) expect([name, given[name]]).toEqual([name, value]);
});
