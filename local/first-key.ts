/** API keys for a platform on this machine, made by the command that makes them everywhere. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));
const limitMs = 60_000;
const keyPattern = /dk_[A-Za-z0-9_-]{43}/;

/** Runs `create-key` with a platform's settings and returns the new operator key for all projects. Throws with what the command said. */
export async function createKey(settings: Record<string, string>, name: string): Promise<string> {
  const args = ['cli/create-key.ts', '--role', 'operator', '--project', '*', '--name', name];
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...settings };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root, env, timeout: limitMs });
  const key = keyPattern.exec(stdout)?.[0];
  if (key === undefined) throw new Error(`create-key printed no key: ${(stdout + stderr).slice(0, 2000)}`);
  return key;
}

const marker = z.object({ createdAt: z.string() });

/** When the first key of this data folder was made; undefined before that. */
async function firstKeyMadeAt(file: string): Promise<string | undefined> {
  try {
    return marker.parse(JSON.parse(await readFile(file, 'utf8'))).createdAt;
  } catch {
    return undefined;
  }
}

/**
 * Makes the first key of a data folder, once: the key itself is kept nowhere, so later starts only learn when that was.
 */
export async function firstKey(
  dataDir: string,
  settings: Record<string, string>,
): Promise<{ key: string } | { createdAt: string }> {
  const file = path.join(dataDir, 'first-key.json');
  const createdAt = await firstKeyMadeAt(file);
  if (createdAt !== undefined) return { createdAt };
  const key = await createKey(settings, 'first');
  await writeFile(file, `${JSON.stringify({ createdAt: new Date().toISOString() })}\n`);
  return { key };
}
