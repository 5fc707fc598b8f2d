/** The whole embedded platform: every local service, and the functions host that runs the app against them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { BlobServiceClient } from '@azure/storage-blob';
import { blobContainers, databaseName, documentContainers, queues, trainerJob } from '../shared/resources.ts';
import { quiet, type Services, settingsOfIdentity, settingsWithKeys } from './app-settings.ts';
import { openMachineLearning } from './azure-ml/server.ts';
import { type BlobService, startBlob } from './blob/server.ts';
import { startContainerApps } from './container-apps/server.ts';
import type { Trouble } from './container-apps/trouble.ts';
import { startCosmos } from './cosmos/server.ts';
import { takeDataFolder } from './data-folder.ts';
import { type FunctionsHost, type FunctionsHostOptions, startFunctionsHost } from './functions-host/host.ts';
import { loopbackCertificate } from './identity/certificate.ts';
import { type Keyless, resources } from './identity/keyless.ts';
import { startIdentity } from './identity/server.ts';
import { type TokenIssuer, tokenIssuer } from './identity/tokens.ts';
import { startInsights } from './insights/server.ts';
import { assertFree, loopback } from './listen.ts';
import { secretsOf } from './secrets.ts';
import { startServiceBus } from './service-bus/server.ts';

const trainerMemoryMb = 2048;
/** the longest that a project may ask for (trainer.timeoutSeconds), as the template has it: a job ends itself before */
const trainerTimeoutSeconds = 86_400;

/** 0 picks any free port */
export interface PlatformPorts {
  http: number;
  blob: number;
  serviceBus: number;
  cosmos: number;
  arm: number;
  insights: number;
}

export interface PlatformOptions {
  /** everything the services store, for one platform at a time */
  dataDir: string;
  ports: PlatformPorts;
  /** file that registers the functions, absolute or relative to `appRoot` */
  appEntry: string;
  /** folder of host.json */
  appRoot: string;
  /** settings for the app beside (or instead of) those of the platform */
  extraSettings?: Record<string, string>;
  /** what a training job runs, in `appRoot` */
  jobCommand: string[];
  /** what its image has in its environment */
  jobEnvironment?: Record<string, string>;
  /** message locks; shorter ones let tests with crashes see redelivery sooner */
  lockSeconds?: number;
  onLog: FunctionsHostOptions['onLog'];
  /** run only these functions; none ([]): no functions host, for tests that start hosts as processes of their own */
  functionsOnly?: string[];
  /**
   * As in Azure with keys switched off: TLS, tokens of a managed identity, and none of the keys taken. Functions hosts get
   * the identity from their environment, so they are processes of their own (`functionsOnly: []`).
   */
  keyless?: boolean;
  /** what the next starts of training jobs meet, one by one, with Container Apps and with Azure Machine Learning */
  computeTroubles?: Trouble[];
  machineLearningTroubles?: Trouble[];
  /** whether the broker refuses the next send as busy */
  brokerBusy?: () => boolean;
}

export interface Platform {
  /** base address per service, as in `ports`; `http` is missing without a functions host */
  addresses: Partial<Record<'http', string>> & Record<Exclude<keyof PlatformPorts, 'http'>, string>;
  /** the app settings, for functions hosts in other processes and for direct use with `readConfig` */
  settings: Record<string, string>;
  functions: FunctionsHost | undefined;
  /** Stops everything, the functions first and Azurite with its data saved. */
  close(): Promise<void>;
}

type Close = () => Promise<void>;

async function assertPortsFree(ports: PlatformPorts): Promise<void> {
  const fixed = Object.entries(ports).filter(([, port]) => port !== 0);
  const twice = fixed.find(([, port], i) => fixed.findIndex(([, other]) => other === port) !== i);
  if (twice !== undefined) throw new Error(`Port ${twice[1]} is given to two services: change ports.${twice[0]}`);
  for (const [name, port] of fixed) await assertFree({ port, host: loopback, purpose: name, setting: `ports.${name}` });
}

/** Closes in reverse order; one that fails does not keep the others open. */
async function closeAll(started: Close[]): Promise<void> {
  const errors: unknown[] = [];
  for (const close of started.splice(0).reverse()) await close().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors, `Services did not stop: ${errors.map(String).join('; ')}`);
}

/** Infrastructure of the deployed system that templates make: containers exist before the app starts. */
async function createBlobContainers(blob: BlobService, issuer: TokenIssuer | undefined): Promise<void> {
  const client =
    issuer === undefined
      ? BlobServiceClient.fromConnectionString(blob.connectionString)
      : new BlobServiceClient(blob.endpoint, credentialOf(issuer));
  for (const name of Object.keys(blobContainers)) await client.getContainerClient(name).createIfNotExists();
}

const credentialOf = (issuer: TokenIssuer) => ({
  getToken: () => {
    const { token, expiresOnSeconds } = issuer.issue(resources.blob);
    return Promise.resolve({ token, expiresOnTimestamp: expiresOnSeconds * 1000 });
  },
});

interface IdentitySecrets {
  keyless: Keyless;
  issuer: TokenIssuer;
  certificateFile: string;
}

/** Makes certificate and identity, and lets this process trust the certificate. */
async function makeIdentity(dataDir: string): Promise<IdentitySecrets> {
  const tls = loopbackCertificate();
  const certificateFile = join(dataDir, 'platform.crt');
  await mkdir(dataDir, { recursive: true });
  await writeFile(certificateFile, tls.cert);
  setDefaultCACertificates([...getCACertificates('default'), tls.cert]);
  const issuer = tokenIssuer();
  return { keyless: { tls, tokens: issuer }, issuer, certificateFile };
}

async function startServices(
  options: PlatformOptions,
  started: Close[],
  identity: IdentitySecrets | undefined,
): Promise<Services> {
  const { ports, dataDir } = options;
  const { serviceBusKey, cosmosKey, blobKey, armToken } = await secretsOf(dataDir);
  const keep = <T extends { close(): Promise<void> }>(service: T): T => {
    started.push(() => service.close());
    return service;
  };
  const lock = options.lockSeconds === undefined ? {} : { lockSeconds: options.lockSeconds };
  const secure = identity === undefined ? {} : { keyless: identity.keyless };
  const bus = keep(
    await startServiceBus({
      port: ports.serviceBus,
      dataDir: join(dataDir, 'service-bus'),
      queues,
      key: serviceBusKey,
      ...lock,
      ...secure,
      ...(options.brokerBusy === undefined ? {} : { busy: options.brokerBusy }),
    }),
  );
  const cosmos = keep(
    await startCosmos({
      port: ports.cosmos,
      dataDir: join(dataDir, 'cosmos'),
      database: databaseName,
      containers: documentContainers,
      key: cosmosKey,
      ...secure,
    }),
  );
  const insights = keep(await startInsights({ port: ports.insights, dataDir: join(dataDir, 'insights'), ...secure }));
  const blob = keep(
    await startBlob({
      port: ports.blob,
      dataDir: join(dataDir, 'blob'),
      key: blobKey,
      ...secure,
      eventsFor: Object.fromEntries(Object.entries(blobContainers).map(([name, { events }]) => [name, events])),
      deliver: async (queue, event) => {
        await bus.enqueue(queue, {
          body: JSON.stringify(event),
          messageId: event.id,
          contentType: 'application/cloudevents+json',
        });
      },
    }),
  );
  await createBlobContainers(blob, identity?.issuer);
  const machine = {
    cwd: options.appRoot,
    env: {
      ORT_DISABLE_TELEMETRY: quiet.ORT_DISABLE_TELEMETRY,
      // of one platform and all of its projects: jobs may share it
      DARKROOM_FEATURES: resolve(dataDir, 'features'),
      ...options.jobEnvironment,
      ...(identity === undefined ? {} : { NODE_EXTRA_CA_CERTS: identity.certificateFile }),
    },
    memoryMb: trainerMemoryMb,
    timeoutSeconds: trainerTimeoutSeconds,
    maxParallel: 1,
  };
  const machineLearning = keep(
    openMachineLearning({
      dataDir: join(dataDir, 'azure-ml'),
      machine,
      ...(options.machineLearningTroubles === undefined ? {} : { troubles: options.machineLearningTroubles }),
    }),
  );
  const arm = keep(
    await startContainerApps({
      port: ports.arm,
      dataDir: join(dataDir, 'container-apps'),
      accessToken: armToken,
      ...secure,
      ...(options.computeTroubles === undefined ? {} : { troubles: options.computeTroubles }),
      jobs: { [trainerJob]: { ...machine, command: options.jobCommand } },
      others: [machineLearning],
    }),
  );
  return { bus, cosmos, insights, blob, arm, jobCommand: options.jobCommand };
}

/** Starts the services, keyless or not, and says how an app reaches them. */
async function startAll(
  options: PlatformOptions,
  started: Close[],
): Promise<{ services: Services; settings: Record<string, string> }> {
  if (options.keyless !== true) {
    const services = await startServices(options, started, undefined);
    return { services, settings: settingsWithKeys(services) };
  }
  const { issuer, ...made } = await makeIdentity(options.dataDir);
  const services = await startServices(options, started, { issuer, ...made });
  const identity = await startIdentity({ port: 0, issuer });
  started.push(() => identity.close());
  const settings = settingsOfIdentity(services, identity, issuer.clientId, made.certificateFile);
  return { services, settings };
}

/**
 * Starts every service and then the app; resolves when the app takes work.
 * Throws, with everything stopped again, when another platform has the data folder or a port is taken (the error names
 * the setting), a service does not start, or the app does not load.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const started: Close[] = [];
  try {
    const folder = await takeDataFolder(options.dataDir);
    started.push(() => folder.close());
    await assertPortsFree(options.ports);
    const { services, settings: given } = await startAll(options, started);
    const settings = { ...given, ...options.extraSettings };
    const only = options.functionsOnly;
    const functions =
      only?.length === 0
        ? undefined
        : await startFunctionsHost({
            appRoot: options.appRoot,
            entry: options.appEntry,
            port: options.ports.http,
            settings,
            onLog: options.onLog,
            ...(only === undefined ? {} : { functions: only }),
          });
    if (functions !== undefined) started.push(() => functions.close());
    return {
      addresses: {
        ...(functions === undefined ? {} : { http: `http://${loopback}:${functions.port}` }),
        blob: services.blob.endpoint,
        serviceBus: `sb://${loopback}:${services.bus.port}`,
        cosmos: services.cosmos.endpoint,
        arm: services.arm.endpoint,
        insights: services.insights.endpoint,
      },
      settings,
      functions,
      close: () => closeAll(started),
    };
  } catch (error) {
    // the first error is the one to report
    await closeAll(started).catch(() => undefined);
    throw error;
  }
}
