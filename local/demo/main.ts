/**
 * `npm run demo`: starts the embedded platform in a temporary folder and tells the whole story on real images.
 * `--json`: one JSON document on stdout and nothing else (progress goes to stderr); `{ "error": ... }` when it fails.
 * `--images DIR`: a folder of `<label>/<file>` images instead of digits. Exit codes: 0 every step happened; 1 one did not;
 * 2 wrong arguments, or images that it cannot use.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildApp } from '../build.ts';
import { createKey } from '../first-key.ts';
import { type Platform, startPlatform } from '../platform.ts';
import { trainingJob } from '../trainers.ts';
import { type Arguments, readArguments } from './arguments.ts';
import { createClient } from '../../client/client.ts';
import { readDigits } from './digits.ts';
import { readFolder } from './folder.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import type { PictureSet } from './pictures.ts';
import { type Failure, type Report, reportLines, reportShape } from './report.ts';
import { createStopwatch } from './stopwatch.ts';
import { tellStory } from './story.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const anyPort = { http: 0, blob: 0, serviceBus: 0, cosmos: 0, arm: 0, insights: 0 };

const ended = '\nThe demo did not get to its end.';
const nextCommands = [
  'npm start                          keeps a platform running, with its data in .darkroom/',
  'npm run demo -- --images DIR       the same story with your own <label>/<file> images',
  'npm run -s demo -- --json          one JSON document, for scripts',
];

async function start(
  folder: string,
  log: (line: object) => void,
): Promise<{ platform: Platform; milliseconds: number }> {
  const { entry, milliseconds } = await buildApp();
  const platform = await startPlatform({
    dataDir: path.join(folder, 'data'),
    ports: anyPort,
    appEntry: entry,
    appRoot: root,
    ...(await trainingJob(new Map(), root)),
    onLog: log,
  });
  return { platform, milliseconds };
}

/** what has to be closed when the story is cut short */
let interrupted: () => Promise<void> = () => Promise.resolve();
let isInterrupted = false;
/** title of the chapter that is being told */
let step: string | undefined;

async function run(folder: string, pictures: PictureSet, narrator: Narrator): Promise<Report> {
  const stopwatch = createStopwatch();
  const log = createWriteStream(path.join(folder, 'platform.log'));
  if (pictures.notes.length > 0) narrator.chapter(`The ${pictures.what}`);
  for (const note of pictures.notes) narrator.say(note);
  narrator.chapter('Starting the platform: functions host, storage, queues, documents, compute, telemetry');
  const write = (line: object): void => void log.write(`${JSON.stringify(line)}\n`);
  const { platform, milliseconds } = await stopwatch.stage('start', () => start(folder, write));
  interrupted = () => platform.close();
  try {
    const address = platform.addresses.http;
    if (address === undefined) throw new Error('Expected a functions host; seen: none');
    narrator.say(`app built in ${milliseconds} ms; API at ${address}/api/v1, data in ${folder}`);
    const client = createClient(address, await createKey(platform.settings, 'demo'));
    const told = await tellStory({ client, narrator, stopwatch, pictures });
    return reportShape.parse({ ...told, seconds: stopwatch.seconds() });
  } finally {
    interrupted = () => Promise.resolve();
    await platform.close();
    await new Promise((resolve) => log.end(resolve));
  }
}

/** Says on stderr why there is no report; with `--json` also as a document on stdout. */
function fail(json: boolean, intro: string, trouble: { code: Failure['error']['code']; why: unknown; log?: string }) {
  const { code, why, log } = trouble;
  const message = why instanceof Error ? why.message : String(why);
  console.error(`${intro} ${message}`);
  if (log !== undefined) console.error(`What the platform logged is in ${log}`);
  const at = { ...(step === undefined ? {} : { step }), ...(log === undefined ? {} : { log }) };
  const failure: Failure = { error: { code, message, ...at } };
  if (json) process.stdout.write(`${JSON.stringify(failure, null, 2)}\n`);
}

/** Tells the story in a temporary folder, which stays when it fails. Resolves with the exit code. */
async function demonstrate(json: boolean, pictures: PictureSet): Promise<number> {
  const told = createNarrator(json ? process.stderr : process.stdout);
  const narrator = { ...told, chapter: (title: string) => told.chapter((step = title)) };
  let kept: { log?: string } = {};
  try {
    const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-demo-'));
    kept = { log: path.join(folder, 'platform.log') };
    const remove = () => rm(folder, { recursive: true, force: true });
    closeOnSignals(json, remove);
    const report = await run(folder, pictures, narrator);
    await remove();
    if (json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    else {
      narrator.chapter('All of it');
      console.log(['', ...reportLines(report), '', 'Try next:', ...nextCommands.map((line) => `  ${line}`)].join('\n'));
    }
    return 0;
  } catch (error) {
    // what was interrupted fails, and has said why already
    if (!isInterrupted) fail(json, ended, { code: 'step-failed', why: error, ...kept });
    return 1;
  }
}

function closeOnSignals(json: boolean, remove: () => Promise<void>): void {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      isInterrupted = true;
      fail(json, ended, { code: 'interrupted', why: `It was ended by ${signal}.` });
      void interrupted()
        .then(remove)
        .finally(() => process.exit(code));
    });
  }
}

async function main(args: string[]): Promise<number> {
  // also when another argument is wrong
  const json = args.includes('--json');
  let asked: Arguments;
  try {
    asked = readArguments(args);
  } catch (error) {
    fail(json, 'The demo did not begin.', { code: 'wrong-arguments', why: error });
    return 2;
  }
  let pictures: PictureSet;
  try {
    pictures = asked.images === undefined ? await readDigits() : await readFolder(asked.images);
  } catch (error) {
    fail(json, 'The demo did not begin.', { code: 'unusable-images', why: error });
    return 2;
  }
  return demonstrate(json, pictures);
}

process.exitCode = await main(process.argv.slice(2));
