/**
 * `npm start`: keeps the embedded platform running, with its data in `.darkroom/` (DARKROOM_DATA), until Ctrl-C.
 * Ports by DARKROOM_{HTTP,BLOB,SERVICEBUS,COSMOS,ARM,INSIGHTS}_PORT, 0 for any free one.
 * `-- --functions-only`: the functions host alone, with the addresses of the environment (emulators, or Azure).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { readConfig } from '../shared/config.ts';
import { buildApp } from './build.ts';
import { writeExamples } from './examples.ts';
import { firstKey } from './first-key.ts';
import { type FunctionsHostOptions, startFunctionsHost } from './functions-host/host.ts';
import { createLogFile } from './log-file.ts';
import { type Platform, startPlatform } from './platform.ts';
import { quickStart } from './quick-start.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const jobCommand = [process.execPath, 'trainer/main.ts'];

const port = (usual: number) => z.coerce.number().int().min(0).max(65_535).default(usual);
const environmentShape = z.object({
  DARKROOM_DATA: z.string().min(1).default('.darkroom'),
  DARKROOM_HTTP_PORT: port(7071),
  DARKROOM_BLOB_PORT: port(10_000),
  DARKROOM_SERVICEBUS_PORT: port(5672),
  DARKROOM_COSMOS_PORT: port(8081),
  DARKROOM_ARM_PORT: port(7072),
  DARKROOM_INSIGHTS_PORT: port(7073),
});
type Environment = z.infer<typeof environmentShape>;

function readEnvironment(): Environment {
  const parsed = environmentShape.safeParse(process.env);
  if (!parsed.success)
    throw new Error(`The environment has settings that cannot be used:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

const loud = new Set(['warning', 'error', 'critical']);

/** Everything goes into the log file; what needs attention is shown as well. */
function logTo(file: string): FunctionsHostOptions['onLog'] {
  const log = createLogFile(file, (error) => console.error(`The log ${file} cannot be written: ${error.message}`));
  return (line) => {
    log.write(JSON.stringify(line));
    if (loud.has(line.level)) console.error(`${line.time} ${line.level} ${line.category ?? ''} ${line.message}`);
  };
}

/** Settings as `node --env-file` reads them, for commands that run beside the platform. */
function envFile(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join('');
}

async function startAll(environment: Environment): Promise<Platform> {
  const dataDir = path.resolve(environment.DARKROOM_DATA);
  await mkdir(dataDir, { recursive: true });
  const { entry } = await buildApp();
  const logFile = path.join(dataDir, 'platform.log');
  const platform = await startPlatform({
    dataDir,
    ports: {
      http: environment.DARKROOM_HTTP_PORT,
      blob: environment.DARKROOM_BLOB_PORT,
      serviceBus: environment.DARKROOM_SERVICEBUS_PORT,
      cosmos: environment.DARKROOM_COSMOS_PORT,
      arm: environment.DARKROOM_ARM_PORT,
      insights: environment.DARKROOM_INSIGHTS_PORT,
    },
    appEntry: entry,
    appRoot: root,
    jobCommand,
    onLog: logTo(logFile),
  });
  const settingsFile = path.join(dataDir, 'settings.env');
  await writeFile(settingsFile, envFile(platform.settings));
  const examples = await writeExamples(path.join(dataDir, 'examples'));
  const made = await firstKey(dataDir, platform.settings);
  const api = `${platform.addresses.http ?? ''}/api/v1`;
  const shown = (file: string): string => {
    const relative = path.relative(process.cwd(), file);
    return relative.startsWith('..') ? file : relative;
  };
  console.log(
    quickStart({
      ...{ api, addresses: platform.addresses, key: made },
      ...{
        dataDir: shown(dataDir),
        logFile: shown(logFile),
        settingsFile: shown(settingsFile),
        examples: shown(examples),
      },
    }),
  );
  return platform;
}

async function startFunctionsOnly(environment: Environment): Promise<{ close(): Promise<void> }> {
  const settings = { SWEEP_SCHEDULE: '0 */15 * * * *' };
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined) Object.assign(settings, { [name]: value });
  readConfig(settings);
  const { entry } = await buildApp();
  const host = await startFunctionsHost({
    appRoot: root,
    entry,
    port: environment.DARKROOM_HTTP_PORT,
    settings,
    onLog: (line) => console.log(JSON.stringify(line)),
  });
  console.log(
    `functions  http://127.0.0.1:${host.port}/api/v1 (${host.functions.length} functions). Ctrl-C stops them.`,
  );
  return host;
}

/** Closes once; a second signal does not wait. */
function closeOnSignal(running: { close(): Promise<void> }): void {
  let closing = false;
  const stop = (): void => {
    if (closing) process.exit(130);
    closing = true;
    console.log('\nStopping: what runs is finished first. Press Ctrl-C again to end at once.');
    running.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** What a person can change is named as they can change it: services know `ports.http`, the environment its variable. */
const inTermsOfTheEnvironment = (message: string): string =>
  message.replace(/ports\.([a-zA-Z]+)( \(--port\))?/g, (_, port: string) => `DARKROOM_${port.toUpperCase()}_PORT`);

try {
  const { values } = parseArgs({ options: { 'functions-only': { type: 'boolean', default: false } } });
  const environment = readEnvironment();
  closeOnSignal(await (values['functions-only'] ? startFunctionsOnly(environment) : startAll(environment)));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`Darkroom did not start. ${inTermsOfTheEnvironment(message)}`);
  process.exit(1);
}
