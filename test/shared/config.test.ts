import { ServiceBusClient } from '@azure/service-bus';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../shared/config.ts';

const local = {
  SERVICEBUS: 'Endpoint=sb://127.0.0.1:5672;SharedAccessKeyName=k;SharedAccessKey=v;UseDevelopmentEmulator=true',
  COSMOS__accountEndpoint: 'http://127.0.0.1:8081/',
  COSMOS__accountKey: 'key',
  BLOB__serviceUri: 'http://127.0.0.1:10000/account/',
  BLOB__accountName: 'account',
  BLOB__accountKey: 'key',
  COMPUTE__endpoint: 'http://127.0.0.1:7072',
  COMPUTE__jobId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.App/jobs/trainer',
  COMPUTE__accessToken: 'local',
};
/** As Bicep sets them: no secret among them. */
const azure = {
  SERVICEBUS__fullyQualifiedNamespace: 'ns.servicebus.windows.net',
  COSMOS__accountEndpoint: 'https://a.documents.azure.com:443/',
  BLOB__serviceUri: 'https://a.blob.core.windows.net',
  COMPUTE__jobId: local.COMPUTE__jobId,
  AZURE_CLIENT_ID: 'client',
};

describe('settings', () => {
  test('of the local platform give addresses and keys', () => {
    expect(readConfig(local)).toMatchObject({
      serviceBus: { connectionString: local.SERVICEBUS },
      cosmos: { endpoint: 'http://127.0.0.1:8081/', key: 'key', database: 'darkroom' },
      blob: { serviceUri: 'http://127.0.0.1:10000/account', accountName: 'account', accountKey: 'key' },
      compute: { endpoint: 'http://127.0.0.1:7072', accessToken: 'local' },
    });
  });

  test('of Azure need no key: the identity is used', () => {
    const config = readConfig(azure);
    expect(config).toMatchObject({
      serviceBus: { fullyQualifiedNamespace: 'ns.servicebus.windows.net' },
      compute: { endpoint: 'https://management.azure.com' },
      identityClientId: 'client',
    });
    expect([config.cosmos.key, config.blob.accountKey, config.compute.accessToken]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('of Azure Machine Learning come together, or not at all', () => {
    const workspaceId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w';
    const workspace = {
      AZURE_ML__workspaceId: workspaceId,
      AZURE_ML__computeId: `${workspaceId}/computes/gpu`,
      AZURE_ML__environmentId: `${workspaceId}/environments/trainer/versions/1`,
      AZURE_ML__command: 'node /app/main.mjs',
    };
    expect(readConfig(azure).machineLearning).toBeUndefined();
    expect(readConfig({ ...azure, ...workspace }).machineLearning).toEqual({
      workspaceId,
      computeId: workspace.AZURE_ML__computeId,
      environmentId: workspace.AZURE_ML__environmentId,
      command: 'node /app/main.mjs',
    });
    expect(() => readConfig({ ...azure, ...workspace, AZURE_ML__command: '' })).toThrow(
      'AZURE_ML__command is not set, and others of AZURE_ML__ are',
    );
    expect(() => readConfig({ ...azure, ...workspace, AZURE_ML__computeId: 'gpu' })).toThrow('AZURE_ML__computeId');
  });

  test('that are empty count as missing: portals and templates write those', () => {
    const config = readConfig({
      ...azure,
      COSMOS__accountKey: '',
      BLOB__accountKey: '',
      SERVICEBUS: '',
      COMPUTE__accessToken: '',
    });
    expect(config).toEqual(readConfig(azure));
    expect(() => readConfig({ ...azure, BLOB__serviceUri: '' })).toThrow('BLOB__serviceUri');
  });

  test.each([
    'Endpoint=',
    'Endpoint=abc',
    'Endpoint=sb://a',
    'Endpoint=sb://a;SharedAccessKeyName=a',
    'Endpoint=sb://a;SharedAccessKey=a',
    'Endpoint=sb://a;SharedAccessSignature=x',
    'Endpoint=sb://a;SharedAccessKeyName;SharedAccessKey=b',
    'Endpoint=sb://a:99999;SharedAccessKeyName=a;SharedAccessKey=b',
  ])(
    'with the connection string %s, which the SDK of Service Bus would refuse when it is loaded, are refused',
    (text) => {
      expect(() => new ServiceBusClient(text)).toThrow();
      expect(() => readConfig({ ...local, SERVICEBUS: text })).toThrow(/SERVICEBUS cannot be used: it needs/);
    },
  );

  test('that are missing or wrong are all named in one error', () => {
    const wrong = {
      ...local,
      COSMOS__accountEndpoint: 'not an address',
      BLOB__serviceUri: undefined,
      COMPUTE__jobId: 'trainer',
    };
    expect(() => readConfig(wrong)).toThrow(/COSMOS__accountEndpoint[^]*BLOB__serviceUri[^]*COMPUTE__jobId/);
    const { SERVICEBUS: _, ...without } = local;
    expect(() => readConfig(without)).toThrow(/SERVICEBUS.*or SERVICEBUS__fullyQualifiedNamespace/);
    expect(() => readConfig({})).toThrow(/SERVICEBUS[^]*COSMOS__accountEndpoint[^]*COMPUTE__jobId is not set/);
  });
});
