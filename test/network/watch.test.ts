import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NetworkWatch, watchNetwork } from './watch.ts';

const run = promisify(execFile);
let folder: string;
let watch: NetworkWatch;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'darkroom-network-'));
  watch = await watchNetwork(folder);
});
afterAll(async () => {
  watch?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a program two processes below this one, with nothing in its environment but where programs are. */
const below = (program: string) =>
  run('/bin/sh', ['-c', '"$0" -e "$1"', process.execPath, program], { env: { PATH: process.env['PATH'] ?? '' } });
const names = async (): Promise<string[]> => (await watch.foreign()).map(({ how, name }) => `${how} ${name}`);

test('a name that is resolved or connected to in any process is seen, and this machine is not foreign', async () => {
  await lookup('here.invalid').catch(() => undefined);
  await fetch('http://fetched.invalid').catch(() => undefined);
  await below(`fetch('http://127.0.0.1:1023').catch(() => fetch('http://below.invalid')).catch(() => undefined)`);
  await below(`require('net').connect(80, 'socket.invalid').on('error', () => undefined)`);
  await below(`require('dns').resolve4('resolved.invalid', () => undefined)`);
  const seen = await names();
  for (const name of ['here', 'fetched', 'below', 'socket', 'resolved'])
    expect(seen.join('\n'), name).toContain(`${name}.invalid`);
  expect(seen.filter((one) => !one.endsWith('.invalid'))).toEqual([]);
  expect((await watch.all()).map(({ name }) => name)).toContain('127.0.0.1');
});

test.skipIf(process.platform === 'win32')(
  'native code that goes through the proxy of its environment is seen',
  async () => {
    // as a library does that is loaded once an app has replaced the environment of its process
    const program = `
    for (const name of Object.keys(process.env)) delete process.env[name];
    try { process.dlopen({ exports: {} }, '/nowhere.node'); } catch {}
    const { port } = new URL(process.env.https_proxy);
    require('net').connect(port, '127.0.0.1').end('CONNECT telemetry.invalid:443 HTTP/1.1\\r\\nHost: telemetry.invalid\\r\\n\\r\\n').resume();`;
    await below(program);
    expect(await names()).toContain('proxy telemetry.invalid:443');
  },
);

test('npm does not ask the registry for a newer npm', async () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const { stdout } = await run('npm', ['config', 'get', 'update-notifier'], {
    cwd: root,
    shell: process.platform === 'win32',
  });
  expect(stdout.trim()).toBe('false');
});
