/**
 * Writes down every name that a process resolves and every address that it connects to, and has it done in each process
 * below it (preload.ts). Libraries in machine code resolve names themselves: they are told of a proxy, which nobody has a
 * reason to ask for anything on this machine.
 */
import { ChildProcess } from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/** Environment of the processes below: where to write, and the proxy that native code is told of. */
export const variables = { file: 'RECORD_NETWORK_FILE', proxy: 'RECORD_NETWORK_PROXY' } as const;

const preload = new URL('preload.ts', import.meta.url).href;

type Any = (...args: unknown[]) => unknown;

/** Calls `seen` before each call of a method. */
function before(target: object, method: string, seen: (args: unknown[], self: unknown) => void): void {
  const methods = target as Record<string, Any>;
  const original = methods[method];
  if (original === undefined) throw new Error(`there is no ${method} to watch`);
  methods[method] = function watched(this: unknown, ...args: unknown[]) {
    seen(args, this);
    return original.apply(this, args);
  };
}

/** The host of a call of `net.Socket.connect`, in any of its forms; undefined for a socket in the file system. */
function hostOf([first, second]: unknown[]): string | undefined {
  // the module's own calls hand over what they have normalised: an array with the options first
  const given: unknown = Array.isArray(first) ? first[0] : first;
  if (typeof given === 'object' && given !== null) {
    const { host, port, path } = given as { host?: string; port?: unknown; path?: string };
    return port === undefined && path !== undefined ? undefined : (host ?? 'localhost');
  }
  if (typeof given === 'string' && Number.isNaN(Number(given))) return undefined;
  return typeof second === 'string' ? second : 'localhost';
}

/** Watches this process and those that it starts. A line in `file` is `{ how, name, by }`: `by` says which program. */
export function recordNetwork(file: string, proxy: string): void {
  const write = (how: string, name: unknown): void =>
    appendFileSync(file, `${JSON.stringify({ how, name: String(name), by: process.argv.slice(1, 3).join(' ') })}\n`);
  const proxied = { https_proxy: proxy, no_proxy: '127.0.0.1,localhost' };
  const inherited = {
    ...{ ...proxied, [variables.file]: file, [variables.proxy]: proxy },
    NODE_OPTIONS: `--import=${preload}`,
  };
  before(ChildProcess.prototype, 'spawn', ([options]) => {
    const given = options as { envPairs?: string[] };
    const kept = (given.envPairs ?? []).filter((pair) => !(pair.slice(0, pair.indexOf('=')) in inherited));
    given.envPairs = [...kept, ...Object.entries(inherited).map(([name, value]) => `${name}=${value}`)];
  });
  for (const method of Object.keys(dns).filter((name) => /^(lookup|resolve)/.test(name))) {
    before(dns, method, ([name]) => write(`dns.${method}`, name));
  }
  for (const method of Object.keys(dns.promises).filter((name) => /^(lookup|resolve)/.test(name))) {
    before(dns.promises, method, ([name]) => write(`dns.promises.${method}`, name));
  }
  before(net.Socket.prototype, 'connect', (args) => {
    const host = hostOf(args);
    if (host !== undefined) write('connect', host);
  });
  before(dgram.Socket.prototype, 'send', (args) => {
    const host = args.findLast((arg) => typeof arg === 'string');
    if (host !== undefined) write('dgram', host);
  });
  // the settings of a functions app replace the environment of its worker: native code reads it after it was loaded
  before(process, 'dlopen', () => void Object.assign(process.env, proxied));
  syncBuiltinESMExports();
}
