/** The platform as Azure runs it: every service a process of its own, HTTP and queue functions apart, two of each. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { api } from '../../functions/http/api/api.ts';
import { mounted } from '../../functions/http/surface.ts';
import { account } from '../../local/blob/event.ts';
import { buildApp } from '../../local/build.ts';
import { emulatorKey } from '../../local/cosmos/authorization.ts';
import { blobContainers, databaseName, queueNames } from '../../shared/resources.ts';
import { type Part, startPart } from './process.ts';

const root = path.resolve(import.meta.dirname, '../..');

export interface Parts {
  bus: Part;
  cosmos: Part;
  blob: Part;
  arm: Part;
  insights: Part;
  http: Part[];
  queue: Part[];
  settings: Record<string, string>;
  /** an operator's key for every project */
  key: string;
  /** Ends everything, gently. */
  close(): Promise<void>;
}

/** A short lock lets another process take over soon after a death; Azure's shortest is 5 s. */
const lockSeconds = 5;

const queueFunctions = [
  ...['ingest', 'commit', 'train', 'training-event', 'evaluate', 'deploy', 'sweep'],
  ...queueNames.map((queue) => `dead-letter-${queue}`),
];

const isHost = (name: string): boolean => /^(http|queue)-/.test(name);

/** Starts everything below `folder`; logs and data stay there. */
export async function startParts(folder: string): Promise<Parts> {
  await mkdir(path.join(folder, 'logs'), { recursive: true });
  const started: Part[] = [];
  const start = async (name: string, args: string[], env: Record<string, string> = {}): Promise<Part> => {
    const logFile = path.join(folder, 'logs', `${name}.log`);
    const part = await startPart({ name, args, env, cwd: root, logFile });
    started.push(part);
    return part;
  };
  const data = (name: string): string => path.join(folder, name);
  const close = async (): Promise<void> => {
    const [services, hosts] = [started.filter(({ name }) => !isHost(name)), started.filter(({ name }) => isHost(name))];
    for (const group of [hosts, services]) await Promise.all(group.map((part) => part.end('SIGTERM')));
  };
  try {
    const [bus, cosmos, insights, arm, { entry }] = await Promise.all([
      start('bus', [
        ...['local/service-bus/server.ts', '--port', '{port}', '--data', folder],
        ...['--lock-seconds', String(lockSeconds)],
      ]),
      start('cosmos', ['local/cosmos/server.ts', '--port', '{port}', '--data', data('cosmos')]),
      start('insights', ['local/insights/server.ts', '--port', '{port}', '--data', data('insights')]),
      start('arm', [
        ...['local/container-apps/server.ts', '--port', '{port}', '--data', data('container-apps'), '--token', 'local'],
        ...['--', process.execPath, path.join(root, 'trainers/embedded/main.ts')],
      ]),
      buildApp(),
    ]);
    const connection = `Endpoint=sb://127.0.0.1:${bus.port};SharedAccessKeyName=local;SharedAccessKey=local;UseDevelopmentEmulator=true`;
    const blob = await start('blob', [
      ...['local/blob/server.ts', '--port', '{port}', '--data', data('blob'), '--servicebus', connection],
    ]);
    const blobEndpoint = `http://127.0.0.1:${blob.port}/${account.name}`;
    const service = BlobServiceClient.fromConnectionString(
      `DefaultEndpointsProtocol=http;AccountName=${account.name};AccountKey=${account.key};BlobEndpoint=${blobEndpoint};`,
    );
    for (const name of Object.keys(blobContainers)) await service.getContainerClient(name).createIfNotExists();
    const settings = {
      FUNCTIONS_WORKER_RUNTIME: 'node',
      WEBSITE_SITE_NAME: 'darkroom-torture',
      SERVICEBUS: connection,
      COSMOS__accountEndpoint: `http://127.0.0.1:${cosmos.port}`,
      COSMOS__accountKey: emulatorKey,
      COSMOS_DATABASE: databaseName,
      BLOB__serviceUri: blobEndpoint,
      BLOB__accountName: account.name,
      BLOB__accountKey: account.key,
      COMPUTE__endpoint: `http://127.0.0.1:${arm.port}`,
      COMPUTE__jobId:
        '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/darkroom-local/providers/Microsoft.App/jobs/trainer',
      COMPUTE__accessToken: 'local',
      APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://127.0.0.1:${insights.port}/`,
      // a crash that only the sweep heals is healed in seconds here; in Azure it comes every 15 minutes
      SWEEP_SCHEDULE: '*/10 * * * * *',
    };
    const host = (name: string, functions: string[]): Promise<Part> =>
      start(
        name,
        [
          ...['local/functions-host/main.ts', '--app', root, '--entry', entry, '--port', '{port}'],
          ...['--functions', functions.join(',')],
        ],
        settings,
      );
    const httpFunctions = mounted(api).map(({ name }) => name);
    const made = promisify(execFile)(process.execPath, ['cli/create-key.ts'], {
      cwd: root,
      env: { ...process.env, ...settings },
    });
    const http = await Promise.all([host('http-1', httpFunctions), host('http-2', httpFunctions)]);
    const queue = await Promise.all([host('queue-1', queueFunctions), host('queue-2', queueFunctions)]);
    const key = (await made).stdout.trim();
    return { bus, cosmos, blob, arm, insights, http, queue, settings, key, close };
  } catch (error) {
    await close();
    throw error;
  }
}
