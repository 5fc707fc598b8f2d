/**
 * `npm run demo`: starts the embedded platform in a temporary folder and tells the whole story on real images.
 * `--json`: one JSON document on stdout and nothing else (progress goes to stderr); `{ "error": ... }` when it fails.
 * `--images DIR`: a folder of `<label>/<file>` images instead of digits; `detection`: a detector on scenes. Exit codes: 0 every step happened; 1 one did not;
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
import { type Client, createClient } from '../../client/client.ts';
import { readDigits } from './digits.ts';
import { readFolder } from './folder.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { detectionLines, detectionReport } from './detection/report.ts';
import { readScenes } from './detection/scenes.ts';
import { tellDetection } from './detection/story.ts';
import type { PictureSet } from './pictures.ts';
import { type Failure, reportLines, reportShape } from './report.ts';
import { createStopwatch, type Stopwatch } from './stopwatch.ts';
import { tellStory } from './story.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const anyPort = { http: 0, blob: 0, serviceBus: 0, cosmos: 0, arm: 0, insights: 0 };

const ended = '\nThe demo did not get to its end.';
const nextCommands = [
  'npm start                          keeps a platform running, with its data in .darkroom/',
  'npm run demo -- --images DIR       the same story with your own <label>/<file> images',
  'npm run demo -- detection          a detector: scenes with boxes, and what it found, drawn',
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

interface Teller {
  client: Client;
  narrator: Narrator;
  stopwatch: Stopwatch;
}

/** What is told, from before the platform starts to its end. */
interface Story {
  /** what a reader should know first, a line each */
  notes: { title: string; lines: string[] };
  /** resolves with the document of `--json` and with the closing tables */
  tell(teller: Teller): Promise<{ report: object; lines: string[] }>;
}

const storyOf = (pictures: PictureSet): Story => ({
  notes: { title: `The ${pictures.what}`, lines: pictures.notes },
  async tell(teller) {
    const told = await tellStory({ ...teller, pictures });
    const report = reportShape.parse({ ...told, seconds: teller.stopwatch.seconds() });
    return { report, lines: reportLines(report) };
  },
});

/** scenes of the first upload, of the second, and held out */
const sceneCounts = { whole: [100, 100, 40], short: [100, 60, 12] } as const;

async function detectionStory(size: keyof typeof sceneCounts): Promise<Story> {
  const [first, second, holdout] = sceneCounts[size];
  const all = await readScenes(0, first + second + holdout);
  const scenes = {
    first: all.slice(0, first),
    second: all.slice(first, first + second),
    holdout: all.slice(first + second),
  };
  const line =
    'clip art from Fluent Emoji (Microsoft, MIT licence), turned and of many sizes, among things that are no objects';
  return {
    notes: { title: 'The scenes', lines: [line] },
    async tell(teller) {
      // it stays: somebody is to look at it
      const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-detections-'));
      const told = await tellDetection({ ...teller, scenes, folder });
      const report = detectionReport.parse({ ...told, seconds: teller.stopwatch.seconds() });
      return { report, lines: detectionLines(report) };
    },
  };
}

async function run(folder: string, story: Story, narrator: Narrator): Promise<{ report: object; lines: string[] }> {
  const stopwatch = createStopwatch();
  const log = createWriteStream(path.join(folder, 'platform.log'));
  const { title, lines } = story.notes;
  if (lines.length > 0) narrator.chapter(title);
  for (const line of lines) narrator.say(line);
  narrator.chapter('Starting the platform: functions host, storage, queues, documents, compute, telemetry');
  const write = (line: object): void => void log.write(`${JSON.stringify(line)}\n`);
  const { platform, milliseconds } = await stopwatch.stage('start', () => start(folder, write));
  interrupted = () => platform.close();
  try {
    const address = platform.addresses.http;
    if (address === undefined) throw new Error('Expected a functions host; seen: none');
    narrator.say(`app built in ${milliseconds} ms; API at ${address}/api/v1, data in ${folder}`);
    const client = createClient(address, await createKey(platform.settings, 'demo'));
    return await story.tell({ client, narrator, stopwatch });
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
async function demonstrate(json: boolean, story: Story): Promise<number> {
  const told = createNarrator(json ? process.stderr : process.stdout);
  const narrator = { ...told, chapter: (title: string) => told.chapter((step = title)) };
  let kept: { log?: string } = {};
  try {
    const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-demo-'));
    kept = { log: path.join(folder, 'platform.log') };
    const remove = () => rm(folder, { recursive: true, force: true });
    closeOnSignals(json, remove);
    const { report, lines } = await run(folder, story, narrator);
    await remove();
    if (json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    else {
      narrator.chapter('All of it');
      console.log(['', ...lines, '', 'Try next:', ...nextCommands.map((line) => `  ${line}`)].join('\n'));
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
  let story: Story;
  try {
    story = asked.detection === false ? storyOf(await readPictures(asked)) : await detectionStory(asked.detection);
  } catch (error) {
    fail(json, 'The demo did not begin.', { code: 'unusable-images', why: error });
    return 2;
  }
  return demonstrate(json, story);
}

const readPictures = ({ images }: Arguments): Promise<PictureSet> =>
  images === undefined ? readDigits() : readFolder(images);

process.exitCode = await main(process.argv.slice(2));
