/** The Azure CLI, as whoever is signed in: a person by `az login`, a workflow by azure/login. */
import { spawn } from 'node:child_process';

const limitMs = 45 * 60_000;
const maxOutputBytes = 64 * 1024 * 1024;

/** What az says is long; the last lines name the reason. */
const reason = (said: string): string => said.trim().split('\n').slice(-20).join('\n');

/**
 * Runs `az` and returns the JSON that it prints; undefined when it prints none. What it says meanwhile is passed
 * through. Throws when there is no az, when it fails, and after 45 minutes.
 */
export function az(args: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn('az', [...args, '--output', 'json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // workflows write what is not set as an empty text, which parameter files would take for a value
      env: Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== '')),
      // az is a script on Windows
      shell: process.platform === 'win32',
    });
    // not the option of spawn: its timer goes on when nothing was started
    setTimeout(() => child.kill(), limitMs).unref();
    const what = `az ${args.slice(0, 3).join(' ')}`;
    const parts: Buffer[] = [];
    let sizeBytes = 0;
    let said = '';
    child.stdout.on('data', (part: Buffer) => {
      sizeBytes += part.length;
      if (sizeBytes > maxOutputBytes) child.kill();
      else parts.push(part);
    });
    child.stderr.on('data', (part: Buffer) => {
      said = (said + part.toString()).slice(-20_000);
      process.stderr.write(part);
    });
    child.on('error', (error) =>
      reject(new Error(`${what} could not be started: ${error.message}. Install the Azure CLI and run \`az login\`.`)),
    );
    child.on('close', (code) => {
      if (code !== 0) return reject(new Error(`${what} ended with ${code ?? 'a signal'}: ${reason(said)}`));
      const text = Buffer.concat(parts).toString('utf8').trim();
      try {
        resolve(text === '' ? undefined : JSON.parse(text));
      } catch {
        reject(new Error(`${what} printed no JSON: ${reason(text)}`));
      }
    });
  });
}
