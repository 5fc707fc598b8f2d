/** A process of the platform that may be killed at any moment and comes back on the port it had. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';

const readyTimeoutMs = 60_000;
const endTimeoutMs = 20_000;

export interface Part {
  name: string;
  port: number;
  pid: number;
  /** Ends it with a signal and resolves when it is gone. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Starts it again if it is not running; resolves when it takes work. */
  restart(): Promise<void>;
  running(): boolean;
  /** processes it has started, e.g. the worker of a functions host */
  children(): number[];
}

interface Command {
  name: string;
  /** arguments of node; `{port}` stands for the port */
  args: string[];
  /** beside the environment of this process */
  env?: Record<string, string>;
  /** the whole environment */
  onlyEnv?: Record<string, string>;
  cwd: string;
  logFile: string;
}

/** below what systems give to those who ask for any port: while a process is dead, nobody else may get its port */
const ownPorts = { from: 20_000, to: 32_000 };
const maxPortTries = 100;

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

async function ownPort(): Promise<number> {
  for (let tries = 0; tries < maxPortTries; tries++) {
    const port = randomInt(ownPorts.from, ownPorts.to);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${ownPorts.from} to ${ownPorts.to} was found`);
}

const gone = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Starts a process and resolves when it prints `ready PORT`. */
export async function startPart(command: Command): Promise<Part> {
  const log = createWriteStream(command.logFile, { flags: 'a' });
  let port = await ownPort();
  let launching: Promise<ChildProcess> | undefined;
  let child = await launch();

  async function launch(): Promise<ChildProcess> {
    const args = command.args.map((arg) => arg.replace('{port}', String(port)));
    const started = spawn(process.execPath, args, {
      cwd: command.cwd,
      env: command.onlyEnv ?? { ...process.env, ...command.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.stderr.pipe(log, { end: false });
    port = await new Promise<number>((resolve, reject) => {
      let text = '';
      const timer = setTimeout(() => reject(new Error(`${command.name} was not ready in time`)), readyTimeoutMs);
      started.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text = (text + chunk).slice(-10_000);
        const said = /^ready (\d+)/m.exec(text)?.[1];
        if (said !== undefined) {
          clearTimeout(timer);
          resolve(Number(said));
        }
      });
      started.once('exit', (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`${command.name} ended before it was ready (${signal ?? code}), see ${command.logFile}`));
      });
    });
    started.stdout.pipe(log, { end: false });
    return started;
  }

  return {
    name: command.name,
    get port() {
      return port;
    },
    get pid() {
      return child.pid ?? 0;
    },
    running: () => !gone(child),
    children: () => childrenOf(child.pid ?? 0),
    async end(signal) {
      if (gone(child)) return;
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), endTimeoutMs);
      await ended;
      clearTimeout(timer);
    },
    async restart() {
      if (!gone(child)) return;
      launching ??= launch().finally(() => (launching = undefined));
      child = await launching;
    },
  };
}

/** Processes that a process has started. */
export function childrenOf(pid: number): number[] {
  try {
    const said = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
    return said.split('\n').map(Number).filter(Boolean);
  } catch {
    return [];
  }
}
