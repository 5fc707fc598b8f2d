/** Azurite as a child process on a port of its own. */
import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Certificate } from '../identity/certificate.ts';
import { account } from './event.ts';

const startLimitMs = 30_000;
/** Azurite writes its metadata when it stops; killing it earlier loses acknowledged blobs */
const stopLimitMs = 10_000;

export interface Azurite {
  /** e.g. `http://127.0.0.1:40851` */
  address: string;
  /** Stops it with SIGTERM and waits for its end; SIGKILL only after 10 s. */
  stop(): Promise<void>;
}

/**
 * Starts Azurite's blob service on `dataDir` and waits until it listens.
 * An Azurite that an earlier, killed process left behind on the same folder is waited for first: two of them on one
 * folder would destroy its contents. With `tls` it speaks HTTPS and takes tokens as well as its key. Throws when Azurite
 * ends or does not listen within 30 s.
 */
export async function startAzurite(
  dataDir: string,
  { host, key, tls }: { host: string; key: string; tls?: Certificate | undefined },
): Promise<Azurite> {
  await mkdir(dataDir, { recursive: true });
  const pidFile = join(dataDir, 'azurite.pid');
  await waitForFormer(pidFile);
  const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
  const secure = tls === undefined ? [] : await secureOptions(dataDir, tls);
  const preload = fileURLToPath(new URL('stop-with-parent.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [
      `--import=${preload}`,
      main,
      `--blobHost=${host}`,
      '--blobPort=0',
      `--location=${dataDir}`,
      '--silent',
      '--disableTelemetry',
      // SDKs are newer than the service versions Azurite knows; and account names in host names would bypass the front door
      '--skipApiVersionCheck',
      '--disableProductStyleUrl',
      ...secure,
    ],
    // a group of its own: Ctrl-C in a terminal must reach the front door only, which stops Azurite last
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, AZURITE_ACCOUNTS: `${account.name}:${key}` },
    },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin.on('error', () => undefined);
  await writeFile(pidFile, String(child.pid ?? ''));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
      await ended;
      clearTimeout(kill);
    }
    await rm(pidFile, { force: true });
  };
  try {
    return { address: await listeningAddress(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Tokens are taken with TLS only. Azurite reads certificates from files. */
async function secureOptions(dataDir: string, { cert, key }: Certificate): Promise<string[]> {
  const [certFile, keyFile] = [join(dataDir, 'tls.crt'), join(dataDir, 'tls.key')];
  await writeFile(certFile, cert);
  await writeFile(keyFile, key, { mode: 0o600 });
  return ['--oauth=basic', `--cert=${certFile}`, `--key=${keyFile}`];
}

function listeningAddress(child: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (why: string) => reject(new Error(`Azurite ${why}: ${output.trim().slice(-1000)}`));
    const timer = setTimeout(() => fail(`did not listen within ${startLimitMs} ms`), startLimitMs);
    const read = (chunk: Buffer) => {
      // later output is drained but not kept
      if (output.length < 10_000) output += chunk.toString();
      const address = /successfully listens on (https?:\S+)/.exec(output)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', (error) => fail(`cannot be started (${error.message})`));
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`ended with ${code ?? signal}`);
    });
  });
}

async function waitForFormer(pidFile: string): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return;
  for (let waitedMs = 0; waitedMs < stopLimitMs; waitedMs += 100) {
    if (!(await isAzurite(pid))) return;
    await sleep(100);
  }
  throw new Error(
    `The Azurite of an earlier platform (process ${pid}) still uses this data folder: end it, or choose another folder with dataDir`,
  );
}

/** Process ids are reused: the command line decides. Where it cannot be read, that the process lives has to do. */
async function isAzurite(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform === 'win32') return true;
  return (await commandLineOf(pid)).includes('azurite');
}

/** Empty when the process has ended. */
async function commandLineOf(pid: number): Promise<string> {
  const read =
    process.platform === 'linux'
      ? readFile(`/proc/${pid}/cmdline`, 'utf8')
      : promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).then(({ stdout }) => stdout);
  return read.catch(() => '');
}
