/** The whole embedded platform: every local service, and the functions host that runs the app against them. */
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import {
  blobContainers,
  databaseName,
  documentContainers,
  queues,
  sweepSchedule,
  trainerJob,
} from '../shared/resources.ts';
import { type BlobService, startBlob } from './blob/server.ts';
import { type ContainerApps, startContainerApps } from './container-apps/server.ts';
import { startCosmos } from './cosmos/server.ts';
import { type FunctionsHost, type FunctionsHostOptions, startFunctionsHost } from './functions-host/host.ts';
import { startInsights } from './insights/server.ts';
import { assertFree, loopback } from './listen.ts';
import { startServiceBus } from './service-bus/server.ts';

const trainerMemoryMb = 2048;
/** Azure's default replicaTimeout */
const trainerTimeoutSeconds = 1800;

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
  /** everything the services store */
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
  /** message locks; shorter ones let tests with crashes see redelivery sooner */
  lockSeconds?: number;
  onLog: FunctionsHostOptions['onLog'];
  /** run only these functions; none ([]): no functions host, for tests that start hosts as processes of their own */
  functionsOnly?: string[];
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
async function createBlobContainers(blob: BlobService): Promise<void> {
  const client = BlobServiceClient.fromConnectionString(blob.connectionString);
  for (const name of Object.keys(blobContainers)) await client.getContainerClient(name).createIfNotExists();
}

async function startServices(options: PlatformOptions, started: Close[]) {
  const { ports, dataDir } = options;
  const keep = <T extends { close(): Promise<void> }>(service: T): T => {
    started.push(() => service.close());
    return service;
  };
  const lock = options.lockSeconds === undefined ? {} : { lockSeconds: options.lockSeconds };
  const bus = keep(
    await startServiceBus({ port: ports.serviceBus, dataDir: join(dataDir, 'service-bus'), queues, ...lock }),
  );
  const cosmos = keep(
    await startCosmos({
      port: ports.cosmos,
      dataDir: join(dataDir, 'cosmos'),
      database: databaseName,
      containers: documentContainers,
    }),
  );
  const insights = keep(await startInsights({ port: ports.insights, dataDir: join(dataDir, 'insights') }));
  const blob = keep(
    await startBlob({
      port: ports.blob,
      dataDir: join(dataDir, 'blob'),
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
  await createBlobContainers(blob);
  const arm: ContainerApps = keep(
    await startContainerApps({
      port: ports.arm,
      dataDir: join(dataDir, 'container-apps'),
      jobs: {
        [trainerJob]: {
          command: options.jobCommand,
          cwd: options.appRoot,
          memoryMb: trainerMemoryMb,
          timeoutSeconds: trainerTimeoutSeconds,
          maxParallel: 1,
        },
      },
    }),
  );
  return { bus, cosmos, insights, blob, arm };
}

type Services = Awaited<ReturnType<typeof startServices>>;

/** What Bicep sets as app settings in Azure, with addresses and keys of the local services. */
function appSettings({ bus, cosmos, insights, blob, arm }: Services): Record<string, string> {
  return {
    FUNCTIONS_WORKER_RUNTIME: 'node',
    // set by Azure; telemetry SDKs look for a virtual machine around them where it is missing
    WEBSITE_SITE_NAME: 'darkroom-local',
    SERVICEBUS: bus.connectionString,
    COSMOS__accountEndpoint: cosmos.endpoint,
    COSMOS__accountKey: cosmos.key,
    COSMOS_DATABASE: databaseName,
    BLOB__serviceUri: blob.endpoint,
    BLOB__accountName: blob.accountName,
    BLOB__accountKey: blob.accountKey,
    COMPUTE__endpoint: arm.endpoint,
    COMPUTE__jobId: arm.jobResourceId(trainerJob),
    // the local ARM takes any token; without one the app would ask for a managed identity
    COMPUTE__accessToken: 'local',
    APPLICATIONINSIGHTS_CONNECTION_STRING: insights.connectionString,
    SWEEP_SCHEDULE: sweepSchedule,
  };
}

/**
 * Starts every service and then the app; resolves when the app takes work.
 * Throws, with everything stopped again, when a port is taken (the error names the setting), a service does not start,
 * or the app does not load.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  await assertPortsFree(options.ports);
  const started: Close[] = [];
  try {
    const services = await startServices(options, started);
    const settings = { ...appSettings(services), ...options.extraSettings };
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
        insights: `http://${loopback}:${services.insights.port}`,
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
