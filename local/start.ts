/**
 * `npm start`: keeps the embedded platform running, with its data in `.darkroom/` (DARKROOM_DATA), until Ctrl-C.
 * Own trainers by DARKROOM_TRAINERS (docs/trainers.md). Ports by DARKROOM_{HTTP,BLOB,SERVICEBUS,COSMOS,ARM,INSIGHTS}_PORT, 0 for any free one.
 * `-- --functions-only`: the functions host alone, on services that run already (docs/functions-only.md).
 * Exit codes: 0 it was stopped; 1 it did not start; 2 wrong arguments; 130 it was stopped without waiting.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readConfig } from '../shared/config.ts';
import { sweepSchedule } from '../shared/resources.ts';
import { buildApp } from './build.ts';
import { type Environment, inTermsOfTheEnvironment, readEnvironment } from './environment.ts';
import { writeExamples } from './examples.ts';
import { firstKey } from './first-key.ts';
import { type FunctionsHostOptions, startFunctionsHost } from './functions-host/host.ts';
import { createLogFile } from './log-file.ts';
import { type Platform, startPlatform } from './platform.ts';
import { quickStart } from './quick-start.ts';
import { trainingJob } from './trainers.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const usage = `npm start [-- --functions-only]
  DARKROOM_DATA            its data folder (.darkroom)
  DARKROOM_HTTP_PORT, ...  its ports: HTTP, BLOB, SERVICEBUS, COSMOS, ARM, INSIGHTS; 0 for any free one
  DARKROOM_TRAINERS        own trainers, name=command;... (docs/trainers.md)
  --functions-only         the functions alone, on services that run already (docs/functions-only.md)`;

const loud = new Set(['warning', 'error', 'critical']);

/** Everything goes into the log file; what needs attention is shown as well. */
function logTo(file: string): FunctionsHostOptions['onLog'] {
  const log = createLogFile(file, (error) => console.error(`The log ${file} cannot be written: ${error.message}`));
  return (line) => {
    log.write(JSON.stringify(line));
    if (loud.has(line.level)) console.error(`${line.time} ${line.level} ${line.category ?? ''} ${line.message}`);
  };
}

/** Quotes of JSON would end a value that stands between such ones. https://nodejs.org/api/environment_variables.html#dotenv */
const quoteOf = (value: string): string => (value.includes('"') ? "'" : '"');

/** Settings as `node --env-file` reads them, for commands that run beside the platform. */
function envFile(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${quoteOf(value)}${value}${quoteOf(value)}\n`)
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
    ...(await trainingJob(environment.DARKROOM_TRAINERS, root)),
    onLog: logTo(logFile),
  });
  const settingsFile = path.join(dataDir, 'settings.env');
  await writeFile(settingsFile, envFile(platform.settings), { mode: 0o600 });
  // one of an earlier start may be there with other rights
  await chmod(settingsFile, 0o600);
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
  const settings: Record<string, string> = { SWEEP_SCHEDULE: sweepSchedule };
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && value !== '') settings[name] = value;
  try {
    readConfig(settings);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const remedy = 'Services of an npm start beside this: set -a; . .darkroom/settings.env; set +a, then try again.';
    throw new Error(`${why}\n${remedy} docs/functions-only.md has every setting.`, { cause: error });
  }
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

function readFunctionsOnly(): boolean {
  try {
    return parseArgs({ options: { 'functions-only': { type: 'boolean', default: false } } }).values['functions-only'];
  } catch (error) {
    console.error(`Darkroom did not start. ${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
    process.exit(2);
  }
}

const functionsOnly = readFunctionsOnly();
try {
  const environment = readEnvironment(process.env);
  closeOnSignal(await (functionsOnly ? startFunctionsOnly(environment) : startAll(environment)));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`Darkroom did not start. ${inTermsOfTheEnvironment(message)}`);
  process.exit(1);
}
