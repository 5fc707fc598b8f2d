/** The code of the previous release, in a folder of its own, ready to run. */
import { execFile } from 'node:child_process';
import { access, mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { bundleApp } from '../../local/build.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const limitMs = 300_000;
const manifest = z.looseObject({ dependencies: z.record(z.string(), z.string()) });

const git = async (...args: string[]): Promise<string> =>
  (await run('git', args, { cwd: root, timeout: limitMs })).stdout.trim();
const found = (...args: string[]): Promise<string> => git(...args).catch(() => '');

/**
 * The commit whose code a rollback would bring back: the newest version tag before this commit; where there is none, what
 * main was before, as every commit of main is deployed. Throws on a clone that has no history.
 */
export async function previousCommit(): Promise<string> {
  const head = await git('rev-parse', 'HEAD');
  const tag = await found('describe', '--tags', '--abbrev=0', '--match', 'v*', 'HEAD^');
  const main = (await found('rev-parse', '--verify', 'origin/main')) || (await found('rev-parse', '--verify', 'main'));
  const branchedOff = main === '' ? '' : await found('merge-base', 'HEAD', main);
  const parent = branchedOff === head ? await found('rev-parse', '--verify', 'HEAD^') : branchedOff;
  const commit = await found('rev-list', '-n', '1', tag === '' ? parent : tag);
  if (commit === '')
    throw new Error(
      'This clone has no previous commit: fetch the history (`git fetch --unshallow --tags`), or name one with --ref',
    );
  return commit;
}

const dependenciesOf = async (folder: string): Promise<Record<string, string>> =>
  manifest.parse(JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'))).dependencies;

/** Checks a commit out into `folder` with its packages, bundles its app, and returns the path of the bundle. */
export async function checkOut(commit: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const archive = path.join(path.dirname(folder), 'previous.tar');
  await git('archive', '--format=tar', `--output=${archive}`, commit);
  await run('tar', ['-xf', archive, '-C', folder]);
  const [before, now] = [await dependenciesOf(folder), await dependenciesOf(root)];
  if (JSON.stringify(before) === JSON.stringify(now)) {
    await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
  } else {
    console.log('its packages are others: npm ci');
    await run('npm', ['ci'], { cwd: folder, timeout: limitMs, shell: process.platform === 'win32' });
  }
  const bundle = path.join(folder, 'dist/functions');
  await bundleApp(bundle, folder);
  await access(path.join(bundle, 'app.mjs'));
  return path.join(bundle, 'app.mjs');
}
