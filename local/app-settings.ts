/** What Bicep sets as app settings in Azure, with the addresses of the local services. */
import { databaseName, maxRequestBytes, sweepSchedule, trainerJob } from '../shared/resources.ts';
import { machineLearningIds } from './azure-ml/server.ts';
import type { BlobService } from './blob/server.ts';
import type { ContainerApps } from './container-apps/server.ts';
import type { CosmosService } from './cosmos/server.ts';
import type { IdentityService } from './identity/server.ts';
import type { InsightsService } from './insights/server.ts';
import type { LocalServiceBus } from './service-bus/server.ts';

export interface Services {
  bus: LocalServiceBus;
  cosmos: CosmosService;
  insights: InsightsService;
  blob: BlobService;
  arm: ContainerApps;
  /** what the image of trainings runs */
  jobCommand: string[];
}

/** Dependencies that would report on their own use to a third party. A job has onnxruntime alone. */
export const quiet = {
  ORT_DISABLE_TELEMETRY: '1',
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED: 'true',
  APPLICATIONINSIGHTS_SDKSTATS_DISABLED: 'true',
};

/** One word of a line for /bin/sh. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** From how many bytes on the C library asks the system for memory of its own, which goes back when it is freed. */
const mapped = { MALLOC_MMAP_THRESHOLD_: '1048576' };

const common = ({ cosmos, insights, blob, arm, jobCommand }: Services): Record<string, string> => ({
  COSMOS__accountEndpoint: cosmos.endpoint,
  COSMOS_DATABASE: databaseName,
  BLOB__serviceUri: blob.endpoint,
  COMPUTE__endpoint: arm.endpoint,
  COMPUTE__jobId: arm.jobResourceId(trainerJob),
  AZURE_ML__workspaceId: machineLearningIds.workspaceId,
  AZURE_ML__computeId: machineLearningIds.computeId,
  AZURE_ML__environmentId: machineLearningIds.environmentId,
  AZURE_ML__command: jobCommand.map(quoted).join(' '),
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.connectionString,
  SWEEP_SCHEDULE: sweepSchedule,
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(maxRequestBytes),
  ...mapped,
  ...quiet,
  AzureWebJobsDisableHomepage: 'true',
  // set by Azure; telemetry SDKs look for a virtual machine around them where it is missing
  WEBSITE_SITE_NAME: 'darkroom-local',
});

/** Settings with the keys of the local services. */
export function settingsWithKeys(services: Services): Record<string, string> {
  const { bus, cosmos, blob, arm } = services;
  return {
    ...common(services),
    FUNCTIONS_WORKER_RUNTIME: 'node',
    SERVICEBUS: bus.connectionString,
    COSMOS__accountKey: cosmos.key,
    BLOB__accountName: blob.accountName,
    BLOB__accountKey: blob.accountKey,
    // without it the app would ask for a managed identity
    COMPUTE__accessToken: arm.accessToken,
  };
}

/**
 * Settings without any key: what Bicep sets, what Azure itself sets for an app with an identity, and two that stand for
 * Azure's own certificates and address (NODE_EXTRA_CA_CERTS, COMPUTE__endpoint).
 */
export function settingsOfIdentity(
  services: Services,
  identity: IdentityService,
  clientId: string,
  certificateFile: string,
): Record<string, string> {
  return {
    ...common(services),
    AZURE_CLIENT_ID: clientId,
    SERVICEBUS__fullyQualifiedNamespace: `localhost:${services.bus.port}`,
    SERVICEBUS__credential: 'managedidentity',
    SERVICEBUS__clientId: clientId,
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `ClientId=${clientId};Authorization=AAD`,
    ...identity.environment,
    NODE_EXTRA_CA_CERTS: certificateFile,
  };
}
