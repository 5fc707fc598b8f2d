/**
 * Step of `npm run verify`: can this release be rolled back, and deployed again? This release works on a platform; the
 * code of the previous release goes on with the same documents, blobs and messages, some of them in flight; then this
 * release goes on with what that wrote. `--ref COMMIT` names another previous release.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { buildApp } from '../../local/build.ts';
import { readDigits } from '../../local/demo/digits.ts';
import type { Picture } from '../../local/demo/pictures.ts';
import { type Platform, startPlatform } from '../../local/platform.ts';
import { checkOut, previousCommit } from './code.ts';
import { anyPorts } from '../platform.ts';
import { readArguments } from '../../local/read-arguments.ts';

const root = path.resolve(import.meta.dirname, '../..');
const liveLimitSeconds = 120;

interface Release {
  name: string;
  /** checkout with host.json and cli/ */
  folder: string;
  entry: string;
  /** checkout whose trainer its jobs run: the image is deployed on its own, and is not rolled back with the functions */
  trainerOf: string;
}

/** Runs a program of a release; resolves with what it printed. Rejects when it fails. */
function run({ name, folder }: Release, args: string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (part: Buffer) => {
      said += part.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(said.trim());
      else reject(new Error(`${args.join(' ')} of ${name} ended with ${code}:\n${said.slice(-3000)}`));
    });
  });
}

type Work = (url: string, platform: Platform) => Promise<void>;

/** Lets a release work on the data; rejects when it logs an error or leaves a dead letter. */
async function letWork(
  { name, folder, entry, trainerOf }: Release,
  dataDir: string,
  key: () => string,
  work: Work,
): Promise<void> {
  const problems: string[] = [];
  const platform = await startPlatform({
    dataDir,
    ports: anyPorts,
    appRoot: folder,
    appEntry: entry,
    jobCommand: [process.execPath, path.join(trainerOf, 'trainers/embedded/main.ts')],
    onLog: ({ level, message }) => {
      if (level === 'error' || level === 'critical') problems.push(message);
    },
  });
  try {
    const url = platform.addresses.http ?? '';
    await work(url, platform);
    const { value } = z.object({ value: z.array(z.unknown()) }).parse(await ask(url, key(), 'GET', '/dead-letters'));
    if (value.length > 0) throw new Error(`${name} left dead letters: ${JSON.stringify(value)}`);
    if (problems.length > 0) throw new Error(`${name} logged errors: ${problems.join('\n')}`);
  } finally {
    await platform.close();
  }
}

async function ask(url: string, key: string, method: string, route: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}/api/v1${route}`, {
    method,
    headers: { 'x-api-key': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${await response.text()}`);
  return response.json();
}

const uploadUrls = z.object({
  value: z.array(z.object({ url: z.string(), headers: z.record(z.string(), z.string()) })),
});
const endpointShape = z.object({ production: z.looseObject({ model: z.number() }).nullable() });

/** Uploads digits and returns as soon as storage has them: everything about them is still under way. */
async function uploadAndLeave(url: string, key: string, project: string, pictures: Picture[]): Promise<void> {
  const files = pictures.map(({ name, label, contentType }) => ({ name, label, contentType }));
  const { value } = uploadUrls.parse(await ask(url, key, 'POST', `/projects/${project}/upload-urls`, { files }));
  for (const [i, picture] of pictures.entries()) {
    const target = value[i];
    if (target === undefined) throw new Error(`Expected ${pictures.length} upload URLs; seen: ${value.length}`);
    const body = new Uint8Array(await picture.bytes());
    const put = await fetch(target.url, { method: 'PUT', headers: target.headers, body });
    if (put.status !== 201) throw new Error(`Storage took no upload: ${put.status}`);
  }
}

async function modelLive(url: string, key: string, project: string, least: number): Promise<void> {
  const until = performance.now() + liveLimitSeconds * 1000;
  for (;;) {
    const { production } = endpointShape.parse(await ask(url, key, 'GET', `/projects/${project}/endpoint`));
    if ((production?.model ?? 0) >= least) return;
    if (performance.now() > until)
      throw new Error(`Expected model ${least} of ${project} to be live; seen: ${production?.model ?? 'none'}`);
    await sleep(500);
  }
}

const projectSettings = {
  trainer: { name: 'softmax' },
  gate: { minimum: 0.4, minimumRecall: 0, maxRegression: 1 },
  commit: { quietSeconds: 3 },
};
const { values } = readArguments('node test/previous/main.ts [--ref COMMIT]', { options: { ref: { type: 'string' } } });
const commit = values.ref ?? (await previousCommit());
const work = await mkdtemp(path.join(tmpdir(), 'darkroom-previous-'));
try {
  console.log(`the previous release is ${commit.slice(0, 12)}`);
  const folder = path.join(work, 'previous');
  const { entry } = await buildApp();
  const present: Release = { name: 'this release', folder: root, entry, trainerOf: root };
  const before = await checkOut(commit, folder);
  const previous: Release = { name: 'the previous release', folder, entry: before, trainerOf: root };
  const dataDir = path.join(work, 'data');
  const set = await readDigits();
  let key = '';
  const smoke = (release: Release, url: string): Promise<string> =>
    run(release, ['cli/smoke.ts', '--url', url, '--key', key], {});

  await letWork(
    present,
    dataDir,
    () => key,
    async (url, { settings }) => {
      key = await run(present, ['cli/create-key.ts'], settings);
      await smoke(present, url);
      console.log('this release: a model is live');
      await ask(url, key, 'PUT', '/projects/between', projectSettings);
      await uploadAndLeave(url, key, 'between', set.first.slice(0, 200));
    },
  );
  await letWork(
    previous,
    dataDir,
    () => key,
    async (url) => {
      await modelLive(url, key, 'between', 1);
      console.log('the previous release: finished what was under way');
      await smoke(previous, url);
      console.log('the previous release: trained on, deployed and scored what this release had written');
      await uploadAndLeave(url, key, 'between', set.second.slice(0, 200));
    },
  );
  await letWork(
    { ...present, trainerOf: folder },
    dataDir,
    () => key,
    async (url) => {
      await modelLive(url, key, 'between', 2);
      await smoke(present, url);
      console.log('this release: goes on with what the previous one wrote, on the trainer of the previous one');
    },
  );
} finally {
  await rm(work, { recursive: true, force: true });
}
