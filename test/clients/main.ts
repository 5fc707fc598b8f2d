/**
 * `npm run clients`: Azure's own SDKs for Python look into the local services, as a person with a script would. Needs
 * python3 with venv; what requirements.txt names is installed once, into a folder of its own. Prints every test and closes
 * with `N passed, N failed`; without Python it says so and nothing has failed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startServices } from '../services.ts';

const here = import.meta.dirname;
const testsMs = 300_000;
const installMs = 600_000;

/** The Python of a virtual environment that has what requirements.txt names; made again when that changes. */
async function environmentOf(requirements: string): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  const folder = path.join(tmpdir(), `darkroom-clients-${digest.slice(0, 12)}`);
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

/** Runs the tests against a platform with these settings; resolves with what unittest wrote. */
function runTests(python: string, settings: Record<string, string>): Promise<string> {
  const child = spawn(python, ['-W', 'error::ResourceWarning', '-m', 'unittest', 'discover', '-v', '-s', here], {
    env: { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1', ...settings },
    stdio: ['ignore', 'inherit', 'pipe'],
    timeout: testsMs,
  });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    process.stdout.write(bytes);
    said += bytes.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(said));
  });
}

if (spawnSync('python3', ['-m', 'venv', '--help']).status !== 0) {
  console.log(
    'There is no python3 with venv here, so that the SDKs for Python were not tried. Debian: apt-get install python3-venv',
  );
  console.log('0 passed, 0 failed, 1 skipped');
  process.exit(0);
}
const python = await environmentOf(path.join(here, 'requirements.txt'));
const services = await startServices();
let said: string;
try {
  said = await runTests(python, services.platform.settings);
} finally {
  await services.close();
}
const ran = Number(/^Ran (\d+) tests? in/m.exec(said)?.[1] ?? 0);
const counted = (word: string): number => Number(new RegExp(`^FAILED .*${word}=(\\d+)`, 'm').exec(said)?.[1] ?? 0);
// a run that was ended, or found nothing to run, has failed
const failed = ran === 0 ? 1 : counted('failures') + counted('errors');
console.log(`${Math.max(0, ran - failed)} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
