/**
 * `npm run demo`: starts the embedded platform in a temporary folder and tells the whole story on real images.
 * `--json`: one JSON document on stdout and nothing else (progress goes to stderr).
 * `--images DIR`: a folder of `<label>/<file>` images instead of digits. Exit code 0 only when every step happened.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildApp } from '../build.ts';
import { createKey } from '../first-key.ts';
import { type Platform, startPlatform } from '../platform.ts';
import { createClient } from './client.ts';
import { readDigits } from './digits.ts';
import { readFolder } from './folder.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import type { PictureSet } from './pictures.ts';
import { type Report, reportLines, reportShape } from './report.ts';
import { createStopwatch } from './stopwatch.ts';
import { tellStory } from './story.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const anyPort = { http: 0, blob: 0, serviceBus: 0, cosmos: 0, arm: 0, insights: 0 };
const jobCommand = [process.execPath, 'trainer/main.ts'];

const nextCommands = [
  'npm start                          keeps a platform running, with its data in .darkroom/',
  'npm run demo -- --images DIR       the same story with your own <label>/<file> images',
  'npm run -s demo -- --json          one JSON document, for scripts',
];

interface Running {
  platform: Platform;
  client: ReturnType<typeof createClient>;
}

async function start(folder: string, log: (line: object) => void, narrator: Narrator): Promise<Running> {
  const { entry, milliseconds } = await buildApp();
  const platform = await startPlatform({
    dataDir: path.join(folder, 'data'),
    ports: anyPort,
    appEntry: entry,
    appRoot: root,
    jobCommand,
    onLog: log,
  });
  const address = platform.addresses.http;
  if (address === undefined) throw new Error('Expected a functions host; seen: none');
  narrator.say(`app built in ${milliseconds} ms; API at ${address}/api/v1, data in ${folder}`);
  return { platform, client: createClient(address, await createKey(platform.settings, 'demo')) };
}

async function run(folder: string, pictures: PictureSet, narrator: Narrator): Promise<Report> {
  const stopwatch = createStopwatch();
  const log = createWriteStream(path.join(folder, 'platform.log'));
  if (pictures.notes.length > 0) narrator.chapter(`The ${pictures.what}`);
  for (const note of pictures.notes) narrator.say(note);
  narrator.chapter('Starting the platform: functions host, storage, queues, documents, compute, telemetry');
  const write = (line: object): void => void log.write(`${JSON.stringify(line)}\n`);
  const { platform, client } = await stopwatch.stage('start', () => start(folder, write, narrator));
  interrupted = () => platform.close();
  try {
    const told = await tellStory({ client, narrator, stopwatch, pictures });
    return reportShape.parse({ ...told, seconds: stopwatch.seconds() });
  } finally {
    interrupted = () => Promise.resolve();
    await platform.close();
    await new Promise((resolve) => log.end(resolve));
  }
}

/** what has to be closed when the story is cut short */
let interrupted: () => Promise<void> = () => Promise.resolve();

async function readInput(): Promise<{ json: boolean; pictures: PictureSet }> {
  try {
    const options = { json: { type: 'boolean', default: false }, images: { type: 'string' } } as const;
    const { json, images } = parseArgs({ options }).values;
    return { json, pictures: images === undefined ? await readDigits() : await readFolder(images) };
  } catch (error) {
    console.error(`The demo did not begin. ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  }
}

const { json, pictures } = await readInput();
const narrator = createNarrator(json ? process.stderr : process.stdout);
const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-demo-'));
const remove = () => rm(folder, { recursive: true, force: true });
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(
    signal,
    () =>
      void interrupted()
        .then(remove)
        .finally(() => process.exit(code)),
  );
}
try {
  const report = await run(folder, pictures, narrator);
  if (json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    narrator.chapter('All of it');
    console.log(['', ...reportLines(report), '', 'Try next:', ...nextCommands.map((line) => `  ${line}`)].join('\n'));
  }
  await remove();
} catch (error) {
  console.error(`\nThe demo did not get to its end. ${error instanceof Error ? error.message : String(error)}`);
  console.error(`What the platform logged is in ${path.join(folder, 'platform.log')}`);
  process.exitCode = 1;
}
