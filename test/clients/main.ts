/**
 * `npm run clients`: Azure's own SDKs for Python look into the local services, as a person with a script would. Needs
 * python3 with venv; what requirements.txt names is installed once, into a folder of its own. Prints every test and closes
 * with `N passed, N failed`; without Python it says so and nothing has failed.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { hasPython, pythonWith } from '../python.ts';
import { startServices } from '../services.ts';

const here = import.meta.dirname;
const testsMs = 300_000;

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

if (!hasPython()) {
  console.log(
    'There is no python3 with venv here, so that the SDKs for Python were not tried. Debian: apt-get install python3-venv',
  );
  console.log('0 passed, 0 failed, 1 skipped');
  process.exit(0);
}
const python = await pythonWith(path.join(here, 'requirements.txt'), 'clients');
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
