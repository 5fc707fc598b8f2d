/** From settings to ports: every client is made here, once per process; all but the documents' when it is first used. */
import { randomBytes } from 'node:crypto';
import type { TokenCredential } from '@azure/core-auth';
import { CosmosClient } from '@azure/cosmos';
import type { Config } from '../config.ts';
import { documentStore } from '../errors.ts';
import type { Blobs, Compute, Messages, Ports } from '../ports.ts';
import { cosmosSignature } from './account-key.ts';
import { cosmosDocuments } from './documents.ts';
import { managedIdentity } from './identity.ts';
import { portOnFirstUse } from './on-first-use.ts';
import { namingOutages } from './outage.ts';
import { logTelemetry } from './telemetry.ts';

/**
 * How patient the SDKs are. What they do not mend in that time is an outage (outage.ts): HTTP answers 503, messages are
 * delivered again. Their own defaults let a send take more than five minutes, and blobs wait for ever (see blobs.ts).
 */
const documentPatience = { requestTimeout: 10_000, retryOptions: { maxWaitTimeInSeconds: 20 } };

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * Connects to every service the settings name, where there is no key as `identity`;
 * telemetry goes to the log. Nothing is sent until a port is used.
 */
export function connect(config: Config, identity = managedIdentity(config.identityClientId)): Ports {
  const now = () => new Date();
  const { accessToken } = config.compute;
  const armCredential =
    accessToken === undefined
      ? identity
      : { getToken: async () => ({ token: accessToken, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  const blobs = portOnFirstUse<Blobs>(
    {
      get: true,
      create: true,
      createFrom: true,
      overwrite: true,
      exists: true,
      remove: true,
      stream: true,
      list: true,
      page: true,
      sign: true,
    },
    async () => (await import('./blobs.ts')).connectBlobs(config.blob, identity, now),
  );
  const messages = portOnFirstUse<Messages>({ send: true, reach: true }, async () =>
    (await import('./messages.ts')).connectMessages(config.serviceBus, identity),
  );
  const compute = portOnFirstUse<Compute>({ start: true, list: true, get: true, stop: true }, async () =>
    (await import('./container-apps.ts')).containerAppsCompute(
      config.compute.endpoint,
      config.compute.jobId,
      armCredential,
    ),
  );

  const { machineLearning } = config;
  const azureMl =
    machineLearning &&
    portOnFirstUse<Compute>({ start: true, list: true, get: true, stop: true }, async () =>
      (await import('./machine-learning.ts')).machineLearningCompute(
        config.compute.endpoint,
        machineLearning,
        armCredential,
      ),
    );

  return {
    clock: { now },
    ids: { next: () => `r${[...randomBytes(25)].map((b) => alphabet[b & 31]).join('')}` },
    documents: namingOutages(
      documentStore,
      cosmosDocuments(cosmos(config, identity, now).database(config.cosmos.database)),
    ),
    blobs: namingOutages('Blob storage', blobs),
    messages: namingOutages('The message broker', messages),
    compute: namingOutages('Compute', compute),
    ...(azureMl && { otherComputes: { 'azure-ml': namingOutages('Azure Machine Learning', azureMl) } }),
    telemetry: logTelemetry(now),
    backoff: config.backoff,
  };
}

function cosmos(config: Config, identity: TokenCredential, now: () => Date): CosmosClient {
  const { endpoint, key } = config.cosmos;
  // one region: discovery would only add a request, and would leave the address that the settings name
  const connectionPolicy = { enableEndpointDiscovery: false, ...documentPatience };
  return key === undefined
    ? new CosmosClient({ endpoint, aadCredentials: identity, connectionPolicy })
    : new CosmosClient({ endpoint, tokenProvider: cosmosSignature(key, now), connectionPolicy });
}
