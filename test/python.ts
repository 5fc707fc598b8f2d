/** Python for checks of what people write in it: environments of its own, outside of the checkout. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const installMs = 600_000;

/** Whether this machine can make an environment. */
export const hasPython = (): boolean => spawnSync('python3', ['-m', 'venv', '--help']).status === 0;

/**
 * The Python of an environment that has what a requirements.txt names: installed once, and again when that changes.
 * Throws an Error where a step fails.
 */
export async function pythonWith(requirements: string, name: string): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  const folder = path.join(tmpdir(), `darkroom-${name}-${digest.slice(0, 12)}`);
  const python = path.join(folder, 'bin', 'python');
  const complete = path.join(folder, 'complete');
  if (existsSync(complete)) return python;
  await rm(folder, { recursive: true, force: true });
  console.log(`installing ${path.relative(process.cwd(), requirements)} into ${folder}`);
  for (const [command, ...args] of [
    ['python3', '-m', 'venv', folder],
    [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements],
  ] as [string, ...string[]][]) {
    const { status } = spawnSync(command, args, { stdio: 'inherit', timeout: installMs });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
  }
  await writeFile(complete, '');
  return python;
}
