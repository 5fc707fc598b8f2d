/** Where the files of the needed packages are: in node_modules, or fetched for the other platform. */
import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { type readLockfile, target } from './dependencies.ts';

const manifest = z.looseObject({ version: z.string() });
const fetchLimitMs = 300_000;

async function installedVersion(folder: string): Promise<string | undefined> {
  try {
    return manifest.parse(JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'))).version;
  } catch {
    return undefined;
  }
}

/**
 * Folders of packages by their place in the lockfile. Those that this machine has not installed, because they are for
 * the platform of the deployed app, are fetched into `scratch` by npm, which compares them with the lockfile's digests.
 */
export async function locatePackages(
  root: string,
  lock: ReturnType<typeof readLockfile>,
  packages: Map<string, string>,
  scratch: string,
): Promise<Map<string, string>> {
  const folders = new Map<string, string>();
  const missing: string[] = [];
  for (const [place, version] of packages) {
    const folder = path.join(root, place);
    if ((await installedVersion(folder)) === version) folders.set(place, folder);
    else missing.push(place);
  }
  if (missing.length === 0) return folders;
  await fetchPackages(root, lock, missing, scratch);
  for (const place of missing) folders.set(place, path.join(scratch, place));
  return folders;
}

/** Installs nothing but these packages: their entries of the lockfile, under a manifest that asks for them alone. */
async function fetchPackages(
  root: string,
  lock: ReturnType<typeof readLockfile>,
  places: string[],
  scratch: string,
): Promise<void> {
  await mkdir(scratch, { recursive: true });
  const dependencies: Record<string, string> = {};
  const entries: Record<string, unknown> = {};
  for (const place of places) {
    const { dependencies: _, optionalDependencies: __, ...entry } = lock.packages[place] ?? {};
    dependencies[place.slice('node_modules/'.length)] = entry.version ?? '';
    entries[place] = entry;
  }
  const name = 'packages-of-the-other-platform';
  const packages = { '': { name, dependencies }, ...entries };
  await writeFile(path.join(scratch, 'package.json'), JSON.stringify({ name, dependencies }));
  await writeFile(path.join(scratch, 'package-lock.json'), JSON.stringify({ name, lockfileVersion: 3, packages }));
  await cp(path.join(root, '.npmrc'), path.join(scratch, '.npmrc'));
  const platform = [`--os=${target.os}`, `--cpu=${target.cpu}`, `--libc=${target.libc}`];
  await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', ...platform], scratch);
}

function npm(args: string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // npm is a script on Windows
    const child = spawn('npm', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], shell: process.platform === 'win32' });
    let said = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), fetchLimitMs);
    child.stderr.on('data', (part: Buffer) => (said = (said + part.toString()).slice(-2000)));
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else reject(new Error(`npm ${args[0]} ended with ${code}: ${said}`));
    });
  });
}
