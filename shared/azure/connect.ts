/** From settings to ports: every client is made here, once per process. */
import { randomBytes } from 'node:crypto';
import type { TokenCredential } from '@azure/core-auth';
import { CosmosClient } from '@azure/cosmos';
import { ManagedIdentityCredential } from '@azure/identity';
import { RetryMode, ServiceBusClient } from '@azure/service-bus';
import { BlobServiceClient } from '@azure/storage-blob';
import type { Config } from '../config.ts';
import { documentStore } from '../errors.ts';
import type { Ports } from '../ports.ts';
import { cosmosSignature, storageSignature } from './account-key.ts';
import { storageBlobs } from './blobs.ts';
import { containerAppsCompute } from './compute.ts';
import { cosmosDocuments } from './documents.ts';
import { serviceBusMessages } from './messages.ts';
import { namingOutages } from './outage.ts';
import { logTelemetry } from './telemetry.ts';

/**
 * How patient the SDKs are. What they do not mend in that time is an outage (outage.ts): HTTP answers 503, messages are
 * delivered again. Their own defaults let a send take more than five minutes, and blobs wait for ever (see blobs.ts).
 */
const documentPatience = { requestTimeout: 10_000, retryOptions: { maxWaitTimeInSeconds: 20 } };
const blobPatience = { maxTries: 4, retryDelayInMs: 1000, maxRetryDelayInMs: 8000 };
const messagePatience = {
  // a send whose connection breaks is not told: it waits for its time to be over
  ...{ timeoutInMs: 5000, maxRetries: 3, mode: RetryMode.Exponential },
  ...{ retryDelayInMs: 500, maxRetryDelayInMs: 4000 },
};

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * Connects to every service the settings name, where there is no key as `identity` (undefined: the managed one);
 * telemetry goes to the log. Nothing is sent until a port is used.
 */
export function connect(config: Config, identity?: TokenCredential): Ports {
  const credential = (): TokenCredential =>
    (identity ??= new ManagedIdentityCredential(
      config.identityClientId === undefined ? {} : { clientId: config.identityClientId },
    ));
  const now = () => new Date();

  const sharedKey =
    config.blob.accountKey === undefined
      ? undefined
      : storageSignature(config.blob.accountName ?? '', config.blob.accountKey);
  const storage = new BlobServiceClient(config.blob.serviceUri, sharedKey ?? credential(), {
    retryOptions: blobPatience,
  });
  const bus =
    'connectionString' in config.serviceBus
      ? new ServiceBusClient(config.serviceBus.connectionString, { retryOptions: messagePatience })
      : new ServiceBusClient(config.serviceBus.fullyQualifiedNamespace, credential(), {
          retryOptions: messagePatience,
        });
  const { accessToken } = config.compute;
  const armCredential =
    accessToken === undefined
      ? credential()
      : { getToken: async () => ({ token: accessToken, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };

  return {
    clock: { now },
    ids: { next: () => `r${[...randomBytes(25)].map((b) => alphabet[b & 31]).join('')}` },
    documents: namingOutages(
      documentStore,
      cosmosDocuments(cosmos(config, credential, now).database(config.cosmos.database)),
    ),
    blobs: namingOutages('Blob storage', storageBlobs(storage, sharedKey, now)),
    messages: namingOutages('The message broker', serviceBusMessages(bus)),
    compute: namingOutages(
      'Compute',
      containerAppsCompute(config.compute.endpoint, config.compute.jobId, armCredential),
    ),
    telemetry: logTelemetry(now),
    backoff: config.backoff,
  };
}

function cosmos(config: Config, credential: () => TokenCredential, now: () => Date): CosmosClient {
  const { endpoint, key } = config.cosmos;
  // one region: discovery would only add a request, and would leave the address that the settings name
  const connectionPolicy = { enableEndpointDiscovery: false, ...documentPatience };
  return key === undefined
    ? new CosmosClient({ endpoint, aadCredentials: credential(), connectionPolicy })
    : new CosmosClient({ endpoint, tokenProvider: cosmosSignature(key, now), connectionPolicy });
}
