/** `npm start -- --functions-only` as a process, on the services of a platform that runs without functions. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { createKey } from '../../local/first-key.ts';
import { type LocalServices, startServices } from '../services.ts';
import { createApi } from './client.ts';
import { digit, urls } from './digits.ts';

const root = path.resolve(import.meta.dirname, '../..');
let services: LocalServices;

beforeAll(async () => {
  services = await startServices({
    appRoot: root,
    jobCommand: [process.execPath, path.join(root, 'trainers/embedded/main.ts')],
  });
});
afterAll(() => services.close());

interface Started {
  child: ChildProcess;
  said: () => string;
  exit: Promise<unknown[]>;
}

/** Runs local/start.ts with nothing in its environment but these. */
function start(args: string[], settings: Record<string, string>): Started {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...settings };
  const child = spawn(process.execPath, ['local/start.ts', ...args], { cwd: root, env });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()));
  return { child, said: () => text, exit: once(child, 'close') };
}

const listShape = z.object({ value: z.array(z.looseObject({ outcome: z.string() })) });

test('the functions alone accept an upload, and end with Ctrl-C', async () => {
  const { child, said, exit } = start(['--functions-only'], { ...services.platform.settings, DARKROOM_HTTP_PORT: '0' });
  const address = () => /functions {2}(http:\/\/127\.0\.0\.1:\d+)\/api\/v1/.exec(said())?.[1];
  await expect.poll(address, { timeout: 30_000, message: said() }).toBeDefined();
  const api = createApi(address() ?? '', await createKey(services.platform.settings, 'test'));
  expect((await api.call('PUT', '/projects/digits', {})).status).toBe(201);
  const files = [{ name: 'one.png', label: '3', contentType: 'image/png' }];
  const [given] = urls.parse((await api.call('POST', '/projects/digits/upload-urls', { files })).body).value;
  const { url, headers } = given ?? { url: '', headers: {} };
  const put = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(await digit(3, 1)) });
  expect(put.status).toBe(201);
  const outcomes = async () =>
    (await api.read(listShape, '/projects/digits/uploads')).value.map(({ outcome }) => outcome);
  await expect.poll(outcomes, { timeout: 15_000 }).toEqual(['accepted']);
  child.kill('SIGINT');
  expect(await exit).toEqual([0, null]);
  expect(said()).toContain('Stopping');
}, 60_000);

test('a port that is taken is named with the variable to change', async () => {
  const taken = new URL(services.platform.addresses.blob).port;
  const { said, exit } = start(['--functions-only'], { ...services.platform.settings, DARKROOM_HTTP_PORT: taken });
  expect(await exit).toEqual([1, null]);
  expect(said()).toContain(
    `Darkroom did not start. Port ${taken} for http is already in use on 127.0.0.1: free it, or choose another with DARKROOM_HTTP_PORT\n`,
  );
});

test('settings that are missing are named, with what sets them', async () => {
  const { said, exit } = start(['--functions-only'], {});
  expect(await exit).toEqual([1, null]);
  expect(said()).toMatch(/COSMOS__accountEndpoint is not set\n[^]*set -a; \. \.darkroom\/settings\.env; set \+a/);
});

test('wrong arguments end with exit code 2 and the usage', async () => {
  const { said, exit } = start(['--what'], {});
  expect(await exit).toEqual([2, null]);
  expect(said()).toContain('Usage: npm start');
});

test('a second platform is refused the data folder of a running one, whatever its ports', async () => {
  const ports = ['HTTP', 'BLOB', 'SERVICEBUS', 'COSMOS', 'ARM', 'INSIGHTS'].map((name) => [
    `DARKROOM_${name}_PORT`,
    '0',
  ]);
  const { said, exit } = start([], { ...Object.fromEntries(ports), DARKROOM_DATA: services.folder });
  expect(await exit).toEqual([1, null]);
  expect(said()).toContain(
    `Darkroom did not start. Another platform (process ${process.pid}) uses the data folder ${services.folder}: stop it first, or choose another folder with DARKROOM_DATA\n`,
  );
});
