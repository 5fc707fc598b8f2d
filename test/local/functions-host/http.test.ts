import { request as httpRequest } from 'node:http';
import { expect, test } from 'vitest';
import { runApp } from './app.ts';

const get = (name: string, handler: string, more = '') =>
  `app.http('${name}', { methods: ['GET'], authLevel: 'anonymous', ${more} handler: ${handler} });`;

test('a function answers at its route, with parameters, query and headers', async () => {
  const host = await runApp(`app.http('model', {
    methods: ['POST'], authLevel: 'anonymous', route: 'models/{id}/{version:int?}',
    handler: async (request, context) => ({
      status: 201, headers: { 'x-function': context.functionName }, cookies: [{ name: 'a', value: 'b', httpOnly: true }],
      jsonBody: { ...request.params, tags: request.query.get('tag'), sent: request.headers.get('x-sent'), url: request.url,
        body: await request.json(), traceParent: context.traceContext.traceParent, metadata: context.triggerMetadata ?? 'none' },
    }) });`);
  const response = await fetch(`${host.url}/api/models/m%201%2Fx/3?tag=a&tag=b`, {
    method: 'POST',
    headers: { 'x-sent': 'yes', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    body: '{"n":1}',
  });
  expect(response.status).toBe(201);
  expect(response.headers.get('x-function')).toBe('model');
  expect(response.headers.get('set-cookie')).toBe('a=b; HttpOnly');
  expect(await response.json()).toEqual({
    id: 'm 1%2Fx',
    version: '3',
    tags: 'a,b',
    sent: 'yes',
    url: `${host.url}/api/models/m%201%2Fx/3?tag=a&tag=b`,
    body: { n: 1 },
    traceParent: expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)/),
    metadata: 'none',
  });
});

test('an unmatched route, constraint or method is 404, a broken percent encoding 400', async () => {
  const host = await runApp(get('one', 'async () => ({})', "route: 'things/{id:int}',"));
  const status = async (path: string, method = 'GET') => (await fetch(host.url + path, { method })).status;
  expect(await status('/api/things/7')).toBe(200);
  expect(await status('/api/things/7/')).toBe(200);
  expect(await status('/API/Things/7')).toBe(200);
  expect(await status('/api/things/x')).toBe(404);
  expect(await status('/api/things')).toBe(404);
  expect(await status('/things/7')).toBe(404);
  expect(await status('/api/things/7', 'POST')).toBe(404);
  expect(await status('/api/things/%zz')).toBe(400);
});

test('the route prefix comes from host.json', async () => {
  const host = await runApp(
    get('one', 'async () => ({ body: "here" })'),
    {},
    { extensions: { http: { routePrefix: '' } } },
  );
  expect(await (await fetch(`${host.url}/one`)).text()).toBe('here');
});

test('undefined answers 204, an error or a string 500, and nothing of the error is told', async () => {
  const host = await runApp(
    [
      get('none', 'async () => undefined'),
      get('boom', 'async () => { throw new Error("secret"); }'),
      get('text', 'async () => "text"'),
      get('status', 'async () => ({ status: 600 })'),
      get('thrownUndefined', 'async () => { throw undefined; }'),
    ].join('\n'),
  );
  const result = async (name: string) => {
    const response = await fetch(`${host.url}/api/${name}`);
    return [response.status, await response.text()];
  };
  expect(await result('none')).toEqual([204, '']);
  expect(await result('boom')).toEqual([500, '']);
  expect(await result('text')).toEqual([500, '']);
  expect(await result('status')).toEqual([500, '']);
  expect(await result('thrownUndefined')).toEqual([204, '']);
  expect((await host.logged('secret')).functionName).toBe('boom');
});

test('authLevel function wants the key of the function or the host, admin the master key', async () => {
  const host = await runApp(
    `app.http('locked', { authLevel: 'function', handler: async () => ({ status: 200 }) });
     app.http('top', { authLevel: 'admin', handler: async () => ({ status: 200 }) });`,
    { keys: { locked: 'k1', host: 'k2', master: 'k3' } },
  );
  const status = async (name: string, key?: string) =>
    (await fetch(`${host.url}/api/${name}`, { headers: key ? { 'x-functions-key': key } : {} })).status;
  expect(await status('locked')).toBe(401);
  expect(await status('locked', 'wrong')).toBe(401);
  expect(await status('locked', 'k1')).toBe(200);
  expect(await status('locked', 'k3')).toBe(200);
  expect((await fetch(`${host.url}/api/locked?code=k2`)).status).toBe(200);
  expect(await status('top', 'k1')).toBe(401);
  expect(await status('top', 'k2')).toBe(401);
  expect(await status('top', 'k3')).toBe(200);
});

test('a declared body over 100 MiB is refused before it is read', async () => {
  const host = await runApp(
    "app.http('up', { methods: ['POST'], authLevel: 'anonymous', handler: async () => ({}) });",
  );
  const status = await new Promise((resolve, reject) => {
    const request = httpRequest(`${host.url}/api/up`, { method: 'POST', headers: { 'content-length': 104_857_601 } });
    request.on('response', (response) => resolve(response.statusCode)).on('error', reject);
    request.flushHeaders();
  });
  expect(status).toBe(413);
});

test('a body may be as large as the app setting says, and no larger', async () => {
  const host = await runApp(
    "app.http('up', { methods: ['POST'], authLevel: 'anonymous', handler: async () => ({}) });",
    { settings: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '10' } },
  );
  const send = async (body: string) => (await fetch(`${host.url}/api/up`, { method: 'POST', body })).status;
  expect([await send('x'.repeat(10)), await send('x'.repeat(11))]).toEqual([200, 413]);
});

test('requests beyond maxOutstandingRequests get 429', async () => {
  const slow = get('slow', 'async () => { await new Promise((done) => setTimeout(done, 300)); return {}; }');
  const host = await runApp(slow, {}, { extensions: { http: { maxOutstandingRequests: 2 } } });
  const answers = await Promise.all([1, 2, 3].map(() => fetch(`${host.url}/api/slow`)));
  expect(answers.map((one) => one.status).sort((a, b) => a - b)).toEqual([200, 200, 429]);
});

test('an unhandled rejection ends the worker: requests in flight get 502, later ones a new worker', async () => {
  const host = await runApp(
    [
      get('slow', 'async () => { await new Promise((done) => setTimeout(done, 5000)); return {}; }'),
      get('crash', 'async () => { void Promise.reject(new Error("floating")); await new Promise(() => {}); }'),
      get('pid', 'async () => ({ body: String(process.pid) })'),
    ].join('\n'),
  );
  const before = host.workerPid();
  const slow = fetch(`${host.url}/api/slow`);
  await fetch(`${host.url}/api/pid`);
  expect((await fetch(`${host.url}/api/crash`)).status).toBe(502);
  expect((await slow).status).toBe(502);
  const after = await (await fetch(`${host.url}/api/pid`)).text();
  expect(after).toBe(String(host.workerPid()));
  expect(after).not.toBe(String(before));
  expect(host.restarts()).toBe(1);
  expect((await host.logged('floating')).level).toBe('error');
});

test('a function past functionTimeout takes the worker with it', async () => {
  const host = await runApp(get('endless', '() => new Promise(() => {})'), {}, { functionTimeout: '00:00:01' });
  expect((await fetch(`${host.url}/api/endless`)).status).toBe(500);
  await host.logged('starting another');
});

test('context logs carry level, function and invocation, pass log hooks, and console output is kept', async () => {
  const host = await runApp(
    `app.hook.log((line) => { if (line.category === 'user') line.message = line.message.replace('secret', '***'); });
     ${get(
       'talk',
       `async (request, context) => {
       context.warn('a secret', { n: 1 }); console.log('on stdout'); return { body: context.invocationId }; }`,
     )}`,
  );
  const invocationId = await (await fetch(`${host.url}/api/talk`)).text();
  expect(await host.logged('a ***')).toMatchObject({
    level: 'warning',
    message: 'a *** { n: 1 }',
    functionName: 'talk',
    invocationId,
    category: 'Function.talk.User',
  });
  expect((await host.logged('on stdout')).category).toBe('Host.Function.Console');
});

test('hooks run in order; a failing pre hook skips the handler, a post hook may clear the error', async () => {
  const host = await runApp(
    `app.hook.preInvocation((context) => {
       context.hookData.seen = ['pre'];
       if (context.invocationContext.functionName === 'refused') throw new Error('refused by hook');
       const handler = context.functionHandler;
       context.functionHandler = async (...inputs) => { context.hookData.seen.push('handler'); return handler(...inputs); };
     });
     app.hook.postInvocation((context) => {
       if (context.error) { context.error = null; context.result = { body: context.hookData.seen.join() + ',cleared' }; }
     });
     ${get('cleared', 'async () => { throw new Error("x"); }')}
     ${get('refused', 'async () => ({})')}`,
  );
  expect(await (await fetch(`${host.url}/api/cleared`)).text()).toBe('pre,handler,cleared');
  expect((await fetch(`${host.url}/api/refused`)).status).toBe(500);
});
