import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { extensionBundle, runApp, startHost, writeApp } from './app.ts';

const http = (name: string, more = '') =>
  `app.http('${name}', { authLevel: 'anonymous', ${more} handler: async () => ({}) });`;

test('an app that throws before it registers anything fails the start, with its error', async () => {
  await expect(runApp(`throw new Error('no setting');`)).rejects.toThrow(/zero functions.*no setting/s);
});

test('an app that throws after a registration fails the start', async () => {
  await expect(runApp(`${http('one')} throw new Error('half done');`)).rejects.toThrow('half done');
});

test('an app that registers nothing fails the start', async () => {
  await expect(runApp('globalThis.nothing = app;')).rejects.toThrow('registered no functions');
});

test('a bundle without createRequire fails the start', async () => {
  const folder = await writeApp(http('one'), {}, false);
  await expect(startHost(folder)).rejects.toThrow('Dynamic require');
});

test('a throwing appStart hook fails the start', async () => {
  const source = `app.hook.appStart(() => { throw new Error('not today'); }); ${http('one')}`;
  await expect(runApp(source)).rejects.toThrow('not today');
});

test.each([
  ['twice', `${http('one')} ${http('one')}`, 'already been registered'],
  ['in another case', `${http('one')} ${http('ONE')}`, 'registered twice'],
  ['like an object method', http('toString'), 'already been registered'],
  ['host', http('host'), 'no valid function name'],
  ['with a digit first', http('1st'), 'no valid function name'],
])('a function named %s is refused', async (_, source, message) => {
  await expect(runApp(source)).rejects.toThrow(message);
});

test.each([
  ['a reserved route', http('one', "route: 'admin/x',"), 'built in routes'],
  ['an unknown constraint', http('one', "route: 'x/{id:integer}',"), "unknown route constraint 'integer'"],
  [
    'a bad schedule',
    "app.timer('t', { schedule: '0 99 * * * *', handler: () => {} });",
    'Invalid value for minute: 99',
  ],
  ['a missing setting', "app.timer('t', { schedule: '%WHEN%', handler: () => {} });", "'%WHEN%' does not resolve"],
  [
    'a missing connection',
    "app.serviceBusQueue('q', { connection: 'BUS', queueName: 'q', handler: () => {} });",
    "connection string 'BUS' is missing",
  ],
  ['another trigger', "app.eventGrid('e', { handler: () => {} });", 'eventGridTrigger'],
])('%s is refused', async (_, source, message) => {
  await expect(runApp(source)).rejects.toThrow(message);
});

const withoutBundle = { extensionBundle: undefined };

test('without an extension bundle there are HTTP and timers only, and a queue is refused in the words of Azure', async () => {
  const queue = (name: string) =>
    `app.serviceBusQueue('${name}', { connection: 'BUS', queueName: 'q', handler: () => {} });`;
  await expect(runApp(`${http('one')} ${queue('two')} ${queue('three')}`, {}, withoutBundle)).rejects.toThrow(
    /The following 2 functions are in error:\ntwo: The binding type\(s\) 'serviceBusTrigger' are not registered.*\nthree: /,
  );
  const timer = "app.timer('t', { schedule: '0 0 * * * *', handler: () => {} });";
  const host = await runApp(`${http('one')} ${timer}`, {}, withoutBundle);
  expect(host.functions.map(({ name }) => name)).toEqual(['one', 't']);
});

test.each([
  ['[1.*, 2.0.0)', 'expected \\[4.0.0, 5.0.0\\)'],
  ['4.0.0', 'expected \\[4.0.0, 5.0.0\\)'],
])('an extension bundle of version %s is refused', async (version, message) => {
  const hostJson = { extensionBundle: { ...extensionBundle, version } };
  await expect(runApp(http('one'), {}, hostJson)).rejects.toThrow(new RegExp(message));
});

test('a limit of host.json that is misspelt, which Azure would ignore, is refused', async () => {
  const hostJson = { extensions: { serviceBus: { maxConcurrentCall: 1 } } };
  await expect(runApp(http('one'), {}, hostJson)).rejects.toThrow('maxConcurrentCall');
});

test('registered names are compared with the expected ones', async () => {
  const folder = await writeApp(`${http('one')} ${http('two')}`);
  await expect(startHost(folder, { expectedFunctions: ['one', 'three'] })).rejects.toThrow(
    'missing: three; unexpected: two',
  );
  const host = await startHost(folder, { expectedFunctions: ['two', 'one'] });
  expect(host.functions).toEqual([
    { name: 'one', trigger: 'httpTrigger' },
    { name: 'two', trigger: 'httpTrigger' },
  ]);
});

test('only the functions of a scale group run', async () => {
  const folder = await writeApp(`${http('one')} ${http('two')}`);
  const host = await startHost(folder, { functions: ['two'] });
  expect((await fetch(`${host.url}/api/two`)).status).toBe(200);
  expect((await fetch(`${host.url}/api/one`)).status).toBe(404);
  await expect(startHost(folder, { functions: ['three'] })).rejects.toThrow('no such function: three');
});

test('the environment holds the settings and nothing of the host, and the directory is that of the app', async () => {
  process.env['HOST_SECRET'] = 'x';
  const host = await runApp(
    `const atLoad = process.env.SETTING;
     app.http('env', { authLevel: 'anonymous', handler: async () =>
       ({ jsonBody: { atLoad, secret: process.env.HOST_SECRET ?? null, directory: process.cwd() } }) });`,
    { settings: { SETTING: 'value' } },
  );
  expect(await (await fetch(`${host.url}/api/env`)).json()).toEqual({
    atLoad: 'value',
    secret: null,
    directory: expect.stringContaining('functions-host-'),
  });
});

test('close waits for running requests and runs appTerminate', async () => {
  const host = await runApp(
    `app.hook.appTerminate(() => { console.log('terminated'); });
     app.http('slow', { authLevel: 'anonymous', handler: async () => {
       await new Promise((done) => setTimeout(done, 300)); return { body: 'done' }; } });`,
  );
  const slow = fetch(`${host.url}/api/slow`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const closed = host.close();
  expect(await (await slow).text()).toBe('done');
  await closed;
  await host.logged('terminated');
  expect(host.workerPid()).toBeUndefined();
});

test('registering after start-up throws, and ends the worker when nobody catches it', async () => {
  const host = await runApp(`${http('one')} setTimeout(() => ${http('late').replace(';', '')}, 200);`);
  expect((await host.logged('only be registered during app startup')).level).toBe('error');
});

test('runs as a process, and the worker goes when the host is killed', async () => {
  const folder = await writeApp(
    `app.http('pid', { authLevel: 'anonymous', handler: async () => ({ body: process.pid + ' ' + process.env.GREETING }) });`,
  );
  const main = path.resolve(import.meta.dirname, '../../../local/functions-host/main.ts');
  const child = spawn(process.execPath, [main, '--app', folder, '--entry', 'app.mjs', '--port', '0'], {
    env: { PATH: process.env['PATH'], GREETING: 'hello' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [ready] = (await once(createInterface(child.stdout), 'line')) as [string];
  const port = /^ready (\d+)$/.exec(ready)?.[1];
  const [pid, greeting] = (await (await fetch(`http://127.0.0.1:${port}/api/pid`)).text()).split(' ');
  expect(greeting).toBe('hello');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect.poll(() => isRunning(Number(pid)), { timeout: 3000 }).toBe(false);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
